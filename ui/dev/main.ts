/** The front end on a back end that is played in the page. `npm run dev`, then /dev/index.html. */
import { mount } from 'svelte';
import App from '../src/App.svelte';
import '../src/app.css';
import { preferences } from '$lib/state/preferences.svelte';
import { FakeBackend } from './fake_backend';

const query = new URLSearchParams(location.search);
const backend = new FakeBackend({
  speed: Number(query.get('speed') ?? '1'),
  initial: query.get('initial'),
  remote: query.get('remote'),
  problems: query.has('problems'),
  allSchemes: query.has('schemes'),
  steps: Number(query.get('steps') ?? '0'),
});
Object.assign(window, { backend });

preferences.start();
const target = document.getElementById('app');
if (!target) throw new Error('the page has no place for the app');
mount(App, { target, props: { backend } });
