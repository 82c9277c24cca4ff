/**
 * A difference by lines first, then by words within changed lines.
 *
 * `@codemirror/merge` compares characters; comparing whole lines first gives the hunks that git
 * shows, so that they agree with the counts beside them.
 */
import { diff, presentableDiff } from '@codemirror/merge';

/** Lines of A that give way to lines of B; counted from 0, the end is not part of it. */
export interface Hunk {
  readonly fromA: number;
  readonly toA: number;
  readonly fromB: number;
  readonly toB: number;
}

/** Columns of a line, the end is not part of it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const LIMITS = { scanLimit: 2_000, timeout: 250 };
const FIRST_CODE = 0x0100;
/** Surrogates cannot stand for a line. */
const SURROGATES = 0xd800;
const SURROGATES_END = 0xe000;
const LAST_CODE = 0xffff;
/** Two runs of lines less alike than this are shown as replaced, without marked words. */
const MIN_ALIKE = 0.4;
/** Longer runs are not compared word by word. */
const MAX_WORDS = 8_000;

/** One character for each different line; null when there are more than characters. */
function encode(lines: readonly string[], codes: Map<string, number>): string | null {
  const chars: string[] = [];
  for (const line of lines) {
    let known = codes.get(line);
    if (known === undefined) {
      const free = FIRST_CODE + codes.size;
      known = free < SURROGATES ? free : free + (SURROGATES_END - SURROGATES);
      if (known > LAST_CODE) return null;
      codes.set(line, known);
    }
    chars.push(String.fromCharCode(known));
  }
  return chars.join('');
}

/** How well a run begins at this line: the less it is indented the better, a blank line worst. */
function indent(line: string | undefined): number {
  if (line === undefined) return Number.POSITIVE_INFINITY;
  const column = line.search(/\S/u);
  return column < 0 ? Number.POSITIVE_INFINITY : column;
}

/**
 * Moves an added or removed run, where the same lines may be taken as changed in several places, to
 * where it reads best: from the beginning of the least indented line, as late as possible.
 */
function settle(lines: readonly string[], from: number, to: number, low: number, high: number) {
  let first = from;
  while (first > low && lines[first - 1] === lines[to - 1 - (from - first)]) first -= 1;
  let best = { by: 0, indent: Number.POSITIVE_INFINITY };
  for (let by = first - from; ; by += 1) {
    const here = indent(lines[from + by]);
    if (here <= best.indent) best = { by, indent: here };
    if (to + by >= high || lines[from + by] !== lines[to + by]) break;
  }
  return best.by;
}

export function hunksOf(a: readonly string[], b: readonly string[]): Hunk[] {
  if (a.length === 0 && b.length === 0) return [];
  const codes = new Map<string, number>();
  const [codedA, codedB] = [encode(a, codes), encode(b, codes)];
  if (codedA === null || codedB === null) {
    return [{ fromA: 0, toA: a.length, fromB: 0, toB: b.length }];
  }
  const changes = diff(codedA, codedB, LIMITS);
  const hunks: Hunk[] = [];
  for (const [index, change] of changes.entries()) {
    const { fromA, toA, fromB, toB } = change;
    const before = hunks.at(-1);
    const after = changes[index + 1];
    let by = 0;
    if (fromA === toA) {
      by = settle(b, fromB, toB, before?.toB ?? 0, after?.fromB ?? b.length);
    } else if (fromB === toB) {
      by = settle(a, fromA, toA, before?.toA ?? 0, after?.fromA ?? a.length);
    }
    hunks.push({ fromA: fromA + by, toA: toA + by, fromB: fromB + by, toB: toB + by });
  }
  return hunks;
}

/** Spans of a joined text as spans of its lines. */
function byLine(lines: readonly string[], spans: readonly Span[]): Span[][] {
  const result: Span[][] = lines.map(() => []);
  let start = 0;
  for (const [index, line] of lines.entries()) {
    const end = start + line.length;
    for (const span of spans) {
      const [from, to] = [Math.max(start, span.from), Math.min(end, span.to)];
      if (from < to) result[index]?.push({ from: from - start, to: to - start });
    }
    start = end + 1;
  }
  return result;
}

/** Whether the spans cover all there is to see of a line; marks would then only be noise. */
function isWhole(line: string, spans: readonly Span[]): boolean {
  let covered = 0;
  for (const span of spans) covered += line.slice(span.from, span.to).trim().length;
  return covered >= line.trim().length;
}

export interface Words {
  readonly a: readonly (readonly Span[])[];
  readonly b: readonly (readonly Span[])[];
}

/** The words that differ between two runs of lines; null where they are hardly alike. */
export function wordsOf(a: readonly string[], b: readonly string[]): Words | null {
  if (a.length === 0 || b.length === 0) return null;
  const [textA, textB] = [a.join('\n'), b.join('\n')];
  if (textA.length + textB.length > MAX_WORDS) return null;
  const changes = presentableDiff(textA, textB, LIMITS);
  let alike = textA.length;
  for (const change of changes) alike -= change.toA - change.fromA;
  if (alike < MIN_ALIKE * Math.max(textA.length, textB.length)) return null;
  const clean = (lines: readonly string[], spans: readonly Span[]) =>
    byLine(lines, spans).map((of, index) => (isWhole(lines[index] ?? '', of) ? [] : of));
  return {
    a: clean(
      a,
      changes.map((change) => ({ from: change.fromA, to: change.toA })),
    ),
    b: clean(
      b,
      changes.map((change) => ({ from: change.fromB, to: change.toB })),
    ),
  };
}
