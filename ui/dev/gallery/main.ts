/** Every basic component with data to look at. `npm run dev`, then /dev/gallery.html?view=diff. */
import { mount } from 'svelte';
import '../../src/app.css';
import { overwriteGetLocale } from '$paraglide/runtime';
import Gallery from './Gallery.svelte';

const query = new URLSearchParams(location.search);
document.documentElement.dataset['theme'] = query.get('theme') ?? 'light';
overwriteGetLocale(() => (query.get('locale') === 'ko' ? 'ko' : 'en'));
const target = document.getElementById('app');
if (!target) throw new Error('the page has no place for the gallery');
mount(Gallery, { target, props: { query } });
