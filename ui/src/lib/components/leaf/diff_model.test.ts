import { describe, expect, it } from 'vitest';
import { diffModel, sizeOf, type DiffModel, type Pane } from './diff_model';

const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => `line ${index + 1}`);

const before = numbered(40);
const after = [...before.slice(0, 19), 'changed', 'more', ...before.slice(20)];

function unified(model: DiffModel): Pane {
  if (model.layout !== 'unified') throw new Error('one pane was expected');
  return model.pane;
}

const shown = (pane: Pane) =>
  pane.lines.map((line) => `${line.old ?? ''}|${line.now ?? ''}|${line.sign}`);

describe('diffModel', () => {
  it('leaves so many lines around a change and folds the rest', () => {
    const pane = unified(diffModel(before.join('\n'), after.join('\n'), 'unified', 3));
    expect(pane.folds).toEqual([
      { from: 0, to: 16 },
      { from: 25, to: 42 },
    ]);
    expect(shown(pane).slice(16, 25)).toEqual([
      '17|17|same',
      '18|18|same',
      '19|19|same',
      '20||removed',
      '|20|added',
      '|21|added',
      '21|22|same',
      '22|23|same',
      '23|24|same',
    ]);
    expect(sizeOf({ layout: 'unified', pane })).toEqual({ lines: 9, folds: 2 });
  });

  it('shows the whole file without a context', () => {
    const pane = unified(diffModel(before.join('\n'), after.join('\n'), 'unified', null));
    expect(pane.folds).toEqual([]);
    expect(pane.lines).toHaveLength(42);
  });

  it('keeps both sides level', () => {
    const model = diffModel(before.join('\n'), after.join('\n'), 'split', 3);
    if (model.layout !== 'split') throw new Error('two panes were expected');
    const { old, now } = model;
    expect(old.spaces).toEqual(new Map([[20, 1]]));
    expect(now.spaces).toEqual(new Map());
    expect(old.folds.map((fold) => fold.to - fold.from)).toEqual(
      now.folds.map((fold) => fold.to - fold.from),
    );
    const height = (pane: Pane) =>
      pane.lines.length + [...pane.spaces.values()].reduce((a, b) => a + b, 0);
    expect(height(old)).toBe(height(now));
  });

  it('gives a new file the whole width, in both layouts', () => {
    for (const layout of ['unified', 'split'] as const) {
      const pane = unified(diffModel('', 'a\n\nb', layout, 3));
      expect(shown(pane)).toEqual(['|1|added', '|2|added', '|3|added']);
    }
  });

  it('knows where a line stands in its own text', () => {
    const pane = unified(diffModel('aa\nbb\ncc', 'aa\nBB\ncc', 'unified', 3));
    const texts = { old: 'aa\nbb\ncc', new: 'aa\nBB\ncc' };
    for (const line of pane.lines) {
      expect(texts[line.source].slice(line.offset, line.offset + line.text.length)).toBe(line.text);
    }
  });
});
