/** A difference as the lines that a view shows. Pure; no DOM. */
import { hunksOf, wordsOf, type Hunk, type Span } from './line_diff';

export type DiffLayout = 'unified' | 'split';
export type Sign = 'same' | 'removed' | 'added';
export type Source = 'old' | 'new';

export interface DiffLine {
  readonly sign: Sign;
  readonly text: string;
  /** Line numbers from 1; null on the side that has no such line. */
  readonly old: number | null;
  readonly now: number | null;
  /** Changed words. */
  readonly words: readonly Span[];
  /** The text it comes from, and where in it. */
  readonly source: Source;
  readonly offset: number;
}

/** Unchanged lines that are folded away, as a range of a pane's lines. */
export interface Fold {
  readonly from: number;
  readonly to: number;
}

export interface Pane {
  readonly lines: readonly DiffLine[];
  /** The same number, in the same order, in both panes of a split. */
  readonly folds: readonly Fold[];
  /** Lines to leave free before a line, so that both sides stay level. */
  readonly spaces: ReadonlyMap<number, number>;
}

export type DiffModel =
  | { readonly layout: 'unified'; readonly pane: Pane }
  | { readonly layout: 'split'; readonly old: Pane; readonly now: Pane };

/** Fewer unchanged lines than this are not worth folding away. */
const MIN_FOLD = 4;

class PaneDraft {
  readonly lines: DiffLine[] = [];
  readonly folds: Fold[] = [];
  readonly spaces = new Map<number, number>();

  leave(lines: number): void {
    if (lines > 0) this.spaces.set(this.lines.length, lines);
  }
}

interface Text {
  readonly lines: readonly string[];
  readonly offsets: readonly number[];
}

function textOf(text: string): Text {
  if (text === '') return { lines: [], offsets: [] };
  const lines = text.split('\n');
  let offset = 0;
  const offsets = lines.map((line) => {
    const at = offset;
    offset += line.length + 1;
    return at;
  });
  return { lines, offsets };
}

interface Run {
  readonly fromA: number;
  readonly fromB: number;
  readonly count: number;
}

/** What is the same between the hunks, and what of it is folded away. */
function foldOf(run: Run, isFirst: boolean, isLast: boolean, context: number | null): Fold | null {
  if (context === null) return null;
  const from = isFirst ? 0 : context;
  const to = isLast ? run.count : run.count - context;
  return to - from >= MIN_FOLD ? { from, to } : null;
}

interface Sides {
  readonly old: Text;
  readonly now: Text;
}

function sameLine(sides: Sides, atA: number, atB: number): DiffLine {
  return {
    sign: 'same',
    text: sides.now.lines[atB] ?? '',
    old: atA + 1,
    now: atB + 1,
    words: [],
    source: 'new',
    offset: sides.now.offsets[atB] ?? 0,
  };
}

function changedLines(sides: Sides, hunk: Hunk): { removed: DiffLine[]; added: DiffLine[] } {
  const a = sides.old.lines.slice(hunk.fromA, hunk.toA);
  const b = sides.now.lines.slice(hunk.fromB, hunk.toB);
  const words = wordsOf(a, b);
  const line = (source: Source, text: string, index: number): DiffLine => {
    const isOld = source === 'old';
    const at = (isOld ? hunk.fromA : hunk.fromB) + index;
    return {
      sign: isOld ? 'removed' : 'added',
      text,
      old: isOld ? at + 1 : null,
      now: isOld ? null : at + 1,
      words: (isOld ? words?.a : words?.b)?.[index] ?? [],
      source,
      offset: (isOld ? sides.old : sides.now).offsets[at] ?? 0,
    };
  };
  return {
    removed: a.map((text, index) => line('old', text, index)),
    added: b.map((text, index) => line('new', text, index)),
  };
}

/** Without a context the whole file is shown. */
export function diffModel(
  oldText: string,
  newText: string,
  layout: DiffLayout,
  context: number | null,
): DiffModel {
  const sides: Sides = { old: textOf(oldText), now: textOf(newText) };
  const hunks = hunksOf(sides.old.lines, sides.now.lines);
  // With one side empty, half of the width would be left empty too.
  const split = layout === 'split' && sides.old.lines.length > 0 && sides.now.lines.length > 0;
  const [left, right] = [new PaneDraft(), new PaneDraft()];
  const panes = split ? [left, right] : [right];
  const addRun = (run: Run, isFirst: boolean, isLast: boolean) => {
    const fold = foldOf(run, isFirst, isLast, context);
    for (const pane of panes) {
      const start = pane.lines.length;
      if (fold) pane.folds.push({ from: start + fold.from, to: start + fold.to });
      for (let index = 0; index < run.count; index += 1) {
        pane.lines.push(sameLine(sides, run.fromA + index, run.fromB + index));
      }
    }
  };
  const addHunk = (hunk: Hunk) => {
    const { removed, added } = changedLines(sides, hunk);
    if (!split) {
      right.lines.push(...removed, ...added);
      return;
    }
    left.lines.push(...removed);
    right.lines.push(...added);
    left.leave(added.length - removed.length);
    right.leave(removed.length - added.length);
  };
  let [atA, atB] = [0, 0];
  for (const [index, hunk] of hunks.entries()) {
    addRun({ fromA: atA, fromB: atB, count: hunk.fromB - atB }, index === 0, false);
    addHunk(hunk);
    [atA, atB] = [hunk.toA, hunk.toB];
  }
  const rest = sides.now.lines.length - atB;
  addRun({ fromA: atA, fromB: atB, count: rest }, hunks.length === 0, true);
  if (split) return { layout: 'split', old: left, now: right };
  return { layout: 'unified', pane: right };
}

export interface DiffSize {
  readonly lines: number;
  readonly folds: number;
}

/** How many lines and folded places a pane shows, so that its height is known beforehand. */
export function sizeOf(model: DiffModel): DiffSize {
  const pane = model.layout === 'unified' ? model.pane : model.now;
  let { length: lines } = pane.lines;
  for (const fold of pane.folds) lines -= fold.to - fold.from;
  for (const space of pane.spaces.values()) lines += space;
  return { lines, folds: pane.folds.length };
}
