import type { Tone } from './types';

/** A short message at the edge of the window. */
export interface ToastMessage {
  readonly id: number;
  readonly tone: Tone;
  readonly title: string;
  /** What to do about it. */
  readonly text: string;
  readonly details: readonly string[];
  readonly action: { readonly label: string; run(): void } | null;
}
