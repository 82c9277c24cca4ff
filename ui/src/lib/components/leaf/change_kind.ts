import type { ChangeKind } from '$lib/bindings';
import * as m from '$paraglide/messages';

const LETTERS: Record<ChangeKind, string> = {
  added: 'A',
  modified: 'M',
  deleted: 'D',
  mode_changed: 'T',
};

export function changeLetter(kind: ChangeKind): string {
  return LETTERS[kind];
}

export function changeWord(kind: ChangeKind): string {
  switch (kind) {
    case 'added':
      return m.leaf_change_added();
    case 'modified':
      return m.leaf_change_modified();
    case 'deleted':
      return m.leaf_change_deleted();
    case 'mode_changed':
      return m.leaf_change_mode();
  }
}
