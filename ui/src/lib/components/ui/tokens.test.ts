import { describe, expect, it } from 'vitest';
import css from '../../../app.css?raw';
import { contrast, READABLE as ENOUGH } from './contrast';

type Theme = 'light' | 'dark';

/** Tokens with a plain `light-dark(#rrggbb, #rrggbb)`. */
const tokens = new Map<string, Record<Theme, string>>();
for (const [, name, light, dark] of css.matchAll(
  /--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g,
)) {
  if (name && light && dark) tokens.set(name, { light, dark });
}

function colour(name: string, theme: Theme): string {
  const token = tokens.get(name);
  if (!token) throw new Error(`no colour token --${name}`);
  return token[theme];
}

const SURFACES = ['bg', 'surface', 'surface-raised', 'surface-sunken', 'surface-hover'];
const TINTED = [...SURFACES, 'surface-active', 'surface-selected'];
const TONES = ['success', 'warning', 'danger', 'info', 'violet', 'neutral'];
const SYNTAX = [...tokens.keys()].filter((name) => name.startsWith('syntax-'));
const DIFF_LINES = ['diff-added-bg', 'diff-removed-bg', 'diff-added-word', 'diff-removed-word'];

/** Text on background, by what they are for. */
const READABLE: [string[], string[]][] = [
  [['text', 'text-muted'], TINTED],
  [['text-faint'], TINTED],
  [['accent-text'], [...TINTED, 'accent-soft']],
  [TONES, SURFACES],
  ...TONES.map((tone): [string[], string[]] => [[tone, 'text'], [`${tone}-soft`]]),
  [['text-on-solid'], ['accent', 'accent-hover', ...TONES.map((tone) => `${tone}-solid`)]],
  ...[1, 2, 3, 4, 5, 6].map((n): [string[], string[]] => [[`rating-${n}`], [`rating-${n}-soft`]]),
  [[1, 2, 3, 4, 5, 6].map((n) => `branch-${n}`), SURFACES],
  [
    ['side-a', 'text', 'text-muted'],
    ['side-a-soft', 'surface'],
  ],
  [
    ['side-b', 'text', 'text-muted'],
    ['side-b-soft', 'surface'],
  ],
  [
    ['text', ...SYNTAX],
    [...SURFACES, ...DIFF_LINES],
  ],
  [['diff-added'], ['surface', 'diff-added-bg', 'diff-added-gutter']],
  [['diff-removed'], ['surface', 'diff-removed-bg', 'diff-removed-gutter']],
  [['diff-added', 'diff-removed', 'diff-modified'], TINTED],
];

describe.each<Theme>(['light', 'dark'])('%s theme', (theme) => {
  it('keeps every text readable on every background it stands on', () => {
    const poor: string[] = [];
    for (const [texts, backgrounds] of READABLE) {
      for (const text of texts) {
        for (const background of backgrounds) {
          const ratio = contrast(colour(text, theme), colour(background, theme));
          if (ratio < ENOUGH) poor.push(`--${text} on --${background}: ${ratio.toFixed(2)}`);
        }
      }
    }
    expect(poor).toEqual([]);
  });

  it('outlines controls and focus so that they can be seen', () => {
    for (const surface of SURFACES) {
      for (const line of ['border-control', 'focus']) {
        expect(contrast(colour(line, theme), colour(surface, theme))).toBeGreaterThanOrEqual(3);
      }
    }
  });
});
