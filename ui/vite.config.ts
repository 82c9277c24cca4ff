import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

const folder = (path: string): string => new URL(path, import.meta.url).pathname;

const messages = paraglideVitePlugin({
  project: './project.inlang',
  outdir: './src/paraglide',
  strategy: ['localStorage', 'preferredLanguage', 'baseLocale'],
  emitTsDeclarations: true,
  outputStructure: 'locale-modules',
});

export default defineConfig(({ mode }) => ({
  // `npm test` compiles the messages beforehand: the plugin would keep the test runner alive.
  plugins: [mode === 'test' ? [] : messages, svelte(), svelteTesting()],
  resolve: {
    alias: {
      $lib: folder('./src/lib'),
      $paraglide: folder('./src/paraglide'),
    },
  },
  // The page is served from the binary, not from a network: one large file costs nothing.
  build: { target: 'safari16', chunkSizeWarningLimit: 4096, sourcemap: false },
  // The icon lies beside the front end.
  server: { fs: { allow: ['..'] } },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['./src/test_setup.ts'],
    // The contrast test reads the tokens.
    css: { include: /app\.css/ },
  },
}));
