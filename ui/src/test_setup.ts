import '@testing-library/svelte/vitest';

/** jsdom lays nothing out, so nothing ever changes its size. */
class NoResizes implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

globalThis.ResizeObserver = NoResizes;
