/** Says in words what happened to a file, and which of its texts there is to show. */
import type { FileDiff } from '$lib/bindings';
import * as m from '$paraglide/messages';

/** Both texts as they are shown; empty where there is no file on that side. */
export interface DiffBody {
  readonly old: string;
  readonly now: string;
}

export interface DiffWords {
  /** Absent when there are no lines to show. */
  readonly body: DiffBody | null;
  /** Sentences above the body, or in its place. */
  readonly notes: readonly string[];
}

const TYPE_BITS = 0o170000;
const LINK = 0o120000;
const NESTED = 0o160000;
const ANY_EXECUTE = 0o111;
const PERMISSIONS = 0o7777;

const octal = (mode: number) => (mode & PERMISSIONS).toString(8).padStart(3, '0');

function modeNote(diff: FileDiff): string | null {
  const [from, to] = [diff.change.old?.mode, diff.change.new?.mode];
  if (from === undefined || to === undefined || from === to) return null;
  const [wasLink, isLink] = [(from & TYPE_BITS) === LINK, (to & TYPE_BITS) === LINK];
  if (!wasLink && isLink) return m.leaf_diff_became_link();
  if (wasLink && !isLink) return m.leaf_diff_became_file();
  const modes = { from: octal(from), to: octal(to) };
  const [could, can] = [(from & ANY_EXECUTE) !== 0, (to & ANY_EXECUTE) !== 0];
  if (!could && can) return m.leaf_diff_now_executable(modes);
  if (could && !can) return m.leaf_diff_not_executable(modes);
  return m.leaf_diff_mode(modes);
}

function kindNote(diff: FileDiff): string | null {
  const mode = diff.change.new?.mode ?? diff.change.old?.mode ?? 0;
  const type = mode & TYPE_BITS;
  if (type === NESTED) return m.leaf_diff_nested();
  switch (diff.change.kind) {
    case 'added':
      return type === LINK ? m.leaf_diff_link_added() : null;
    case 'deleted':
      return type === LINK ? m.leaf_diff_link_deleted() : m.leaf_diff_deleted();
    case 'modified':
    case 'mode_changed':
      return modeNote(diff);
  }
}

function unseen(diff: FileDiff): string | null {
  if (!diff.binary && !diff.too_large) return null;
  const { kind } = diff.change;
  if (diff.too_large) return m.leaf_diff_too_large();
  if (kind === 'added') return m.leaf_diff_binary_added();
  if (kind === 'deleted') return m.leaf_diff_binary_deleted();
  return m.leaf_diff_binary_changed();
}

type LineEnd = 'LF' | 'CRLF' | 'mixed' | null;

function lineEnd(text: string): LineEnd {
  const crlf = text.split('\r\n').length - 1;
  const lf = text.split('\n').length - 1 - crlf;
  if (crlf > 0 && lf > 0) return 'mixed';
  if (crlf > 0) return 'CRLF';
  return lf > 0 ? 'LF' : null;
}

function textNotes(before: string, after: string): string[] {
  const notes: string[] = [];
  const [from, to] = [lineEnd(before), lineEnd(after)];
  if (from !== null && to !== null && from !== to) {
    const name = (end: LineEnd) => (end === 'mixed' ? m.leaf_diff_mixed() : (end ?? ''));
    notes.push(m.leaf_diff_line_ends({ from: name(from), to: name(to) }));
  }
  const [hadEnd, hasEnd] = [before.endsWith('\n'), after.endsWith('\n')];
  if (before !== '' && after !== '' && hadEnd !== hasEnd) {
    notes.push(hasEnd ? m.leaf_diff_end_added() : m.leaf_diff_end_removed());
  }
  return notes;
}

/** The text as it is shown: lines, without the break that ends the last one. */
export function shownText(text: string): string {
  const lines = text.replace(/\r\n?/gu, '\n');
  return lines.endsWith('\n') ? lines.slice(0, -1) : lines;
}

export function diffWords(diff: FileDiff): DiffWords {
  const notes = [kindNote(diff), unseen(diff)].filter((note) => note !== null);
  const { old_text: before, new_text: after } = diff;
  if (diff.binary || diff.too_large) return { body: null, notes };
  if (before === null && after === null) {
    if (notes.length === 0) notes.push(m.leaf_diff_no_text());
    return { body: null, notes };
  }
  if (before === '' && after === null) return { body: null, notes };
  if (before === null && after === '')
    return { body: null, notes: [...notes, m.leaf_diff_empty_added()] };
  if (before !== null && after !== null) notes.push(...textNotes(before, after));
  if (before !== null && after === '') notes.push(m.leaf_diff_emptied());
  const body = { old: shownText(before ?? ''), now: shownText(after ?? '') };
  return { body: body.old === body.now ? null : body, notes };
}
