import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {import('@sveltejs/vite-plugin-svelte').SvelteConfig} */
export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    // Components of the project are written in runes; libraries decide for themselves.
    runes: ({ filename }) => (filename.includes('node_modules') ? undefined : true),
  },
};
