import { describe, expect, it } from 'vitest';
import { hunksOf, wordsOf, type Hunk } from './line_diff';

const lines = (text: string) => text.split('\n');

/** Puts B together from A and the hunks, as a patch would. */
function patched(a: readonly string[], b: readonly string[], hunks: readonly Hunk[]): string[] {
  const result: string[] = [];
  let at = 0;
  for (const hunk of hunks) {
    result.push(...a.slice(at, hunk.fromA), ...b.slice(hunk.fromB, hunk.toB));
    at = hunk.toA;
  }
  return [...result, ...a.slice(at)];
}

describe('hunksOf', () => {
  it('names whole lines', () => {
    expect(hunksOf(lines('a\nb\nc'), lines('a\nB\nc'))).toEqual([
      { fromA: 1, toA: 2, fromB: 1, toB: 2 },
    ]);
  });

  it('takes a line that is added at the end for nothing but an added line', () => {
    expect(hunksOf(['x'], ['x', 'y'])).toEqual([{ fromA: 1, toA: 1, fromB: 1, toB: 2 }]);
    expect(hunksOf([], ['x'])).toEqual([{ fromA: 0, toA: 0, fromB: 0, toB: 1 }]);
  });

  it('takes out a function from its first line on, not from the blank line before', () => {
    const a = lines('def a():\n    pass\n\n\ndef b():\n    pass\n\n\ndef c():\n    pass');
    const b = lines('def a():\n    pass\n\n\ndef c():\n    pass');
    expect(hunksOf(a, b)).toEqual([{ fromA: 4, toA: 8, fromB: 4, toB: 4 }]);
  });

  it('makes the new text of the old one, whatever the texts', () => {
    let seed = 42;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let round = 0; round < 300; round += 1) {
      const make = () =>
        Array.from({ length: random(14) }, () => ['', 'a', ' b', 'c'][random(4)] ?? '');
      const [a, b] = [make(), make()];
      const hunks = hunksOf(a, b);
      expect(patched(a, b, hunks)).toEqual(b);
      for (const [index, hunk] of hunks.entries()) {
        const before = hunks[index - 1];
        expect(hunk.fromA).toBeGreaterThanOrEqual(before?.toA ?? 0);
        expect(hunk.fromA - (before?.toA ?? 0)).toBe(hunk.fromB - (before?.toB ?? 0));
      }
    }
  });
});

describe('wordsOf', () => {
  it('marks the words that changed in a line', () => {
    const words = wordsOf(['    raise Error("no header")'], ['    raise Error("no footer")']);
    expect(words?.a).toEqual([[{ from: 20, to: 26 }]]);
    expect(words?.b).toEqual([[{ from: 20, to: 26 }]]);
  });

  it('marks nothing in lines that have little in common', () => {
    expect(wordsOf(['import os'], ['class Parser(Base):'])).toBeNull();
  });

  it('marks no line as a whole', () => {
    const words = wordsOf(['first = 1', 'second = 2'], ['first = 1.5', 'second = 2', 'third = 3']);
    expect(words?.b[2]).toEqual([]);
  });
});
