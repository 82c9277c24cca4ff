import { mount } from 'svelte';
import { preferences } from '$lib/state/preferences.svelte';
import { tauriBackend } from '$lib/transport/tauri';
import App from './App.svelte';
import './app.css';

preferences.start();
const target = document.getElementById('app');
if (!target) throw new Error('the page has no place for the app');
mount(App, { target, props: { backend: tauriBackend } });
