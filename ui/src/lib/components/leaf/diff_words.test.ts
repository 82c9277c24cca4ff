import { describe, expect, it } from 'vitest';
import type { ChangeKind, FileDiff } from '$lib/bindings';
import { diffWords } from './diff_words';

interface Given {
  kind?: ChangeKind;
  old?: string | null;
  now?: string | null;
  modes?: [number, number];
  binary?: boolean;
  tooLarge?: boolean;
}

function diff(given: Given): FileDiff {
  const [from, to] = given.modes ?? [0o100644, 0o100644];
  const kind = given.kind ?? 'modified';
  return {
    change: {
      path: 'a.txt',
      kind,
      old: kind === 'added' ? null : { blob: 'a', mode: from },
      new: kind === 'deleted' ? null : { blob: 'b', mode: to },
      added_lines: null,
      removed_lines: null,
    },
    old_text: given.old ?? null,
    new_text: given.now ?? null,
    binary: given.binary ?? false,
    too_large: given.tooLarge ?? false,
  };
}

describe('diffWords', () => {
  it.each<[string, Given, string]>([
    [
      'a new binary file',
      { kind: 'added', binary: true },
      'A binary file was added. Its content is not shown.',
    ],
    ['a binary change', { binary: true }, 'The binary file changed. Its content is not shown.'],
    ['a large file', { tooLarge: true }, 'Too large to be shown here.'],
    ['an empty new file', { kind: 'added', now: '' }, 'An empty file was added.'],
    ['an empty file that went', { kind: 'deleted', old: '' }, 'The file was deleted.'],
    [
      'a mode alone',
      { kind: 'mode_changed', old: 'x', now: 'x', modes: [0o100644, 0o100755] },
      'The file is now executable: mode 644 → 755.',
    ],
    [
      'a file that became a link',
      { kind: 'mode_changed', binary: true, modes: [0o100644, 0o120777] },
      'The file became a symbolic link.',
    ],
    [
      'line endings alone',
      { old: 'a\r\nb\r\n', now: 'a\nb\n' },
      'Line endings changed: CRLF → LF.',
    ],
    [
      'a last line break alone',
      { old: 'a', now: 'a\n' },
      'The last line now ends with a line break.',
    ],
  ])('says %s in words, without lines', (_name, given, sentence) => {
    const { body, notes } = diffWords(diff(given));
    expect(body).toBeNull();
    expect(notes[0]).toBe(sentence);
  });

  it('shows the lines of a change with what they do not show beside them', () => {
    const given = diff({ old: 'a\r\nb\r\n', now: 'a\nc', modes: [0o100644, 0o100755] });
    expect(diffWords(given)).toEqual({
      body: { old: 'a\nb', now: 'a\nc' },
      notes: [
        'The file is now executable: mode 644 → 755.',
        'Line endings changed: CRLF → LF.',
        'The last line no longer ends with a line break.',
      ],
    });
  });

  it('shows what was in a file that was deleted', () => {
    const { body, notes } = diffWords(diff({ kind: 'deleted', old: 'gone\n' }));
    expect(body).toEqual({ old: 'gone', now: '' });
    expect(notes).toEqual(['The file was deleted.']);
  });
});
