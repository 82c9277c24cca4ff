/** The models that components of a screen share. */
import { createContext } from 'svelte';
import type { AppModel } from './app.svelte';
import type { SessionView } from './view.svelte';

export const [getApp, setApp] = createContext<AppModel>();
export const [getView, setView] = createContext<SessionView>();
