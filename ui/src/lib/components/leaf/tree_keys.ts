/** What a key does in a file tree, after the ARIA practice for tree views. */
import { findTyped, type TreeRow } from './file_tree';

export type TreeAction =
  | { readonly do: 'go'; readonly row: number }
  | { readonly do: 'open' | 'close'; readonly row: number }
  | { readonly do: 'choose'; readonly row: number }
  | { readonly do: 'open_siblings'; readonly row: number };

export interface TreeKeyState {
  readonly rows: readonly TreeRow[];
  readonly row: number;
  /** Rows of one page. */
  readonly page: number;
}

function sideways(state: TreeKeyState, key: 'ArrowLeft' | 'ArrowRight'): TreeAction | null {
  const { row } = state;
  const current = state.rows[row];
  if (!current) return null;
  if (key === 'ArrowRight') {
    if (current.node.kind !== 'folder') return null;
    return current.open ? { do: 'go', row: row + 1 } : { do: 'open', row };
  }
  if (current.open) return { do: 'close', row };
  return current.parent >= 0 ? { do: 'go', row: current.parent } : null;
}

/** Letters and the like. Digits begin nothing: they rate steps wherever the focus is. */
const BEGINS = /^[\p{L}\p{Pc}.@#$~+-]$/u;
const GOES_ON = /^[\p{L}\p{N}\p{Pc}.@#$~+-]$/u;

/** Remembers what is being typed, for as long as the person goes on without a pause. */
export class TypeAhead {
  static readonly PAUSE_MS = 700;
  #typed = '';
  #at = Number.NEGATIVE_INFINITY;

  /** What is typed with this key; null when the key is none to type. */
  type(key: string, at: number): string | null {
    const fresh = at - this.#at > TypeAhead.PAUSE_MS;
    if (!(fresh || this.#typed === '' ? BEGINS : GOES_ON).test(key)) return null;
    // The same letter again goes on to the next name with it.
    this.#typed = fresh || this.#typed === key ? key : this.#typed + key;
    this.#at = at;
    return this.#typed;
  }
}

export function treeKey(
  event: Pick<KeyboardEvent, 'key' | 'timeStamp' | 'ctrlKey' | 'metaKey' | 'altKey'>,
  state: TreeKeyState,
  typing: TypeAhead,
): TreeAction | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const { rows, row, page } = state;
  const last = rows.length - 1;
  if (last < 0) return null;
  switch (event.key) {
    case 'ArrowDown':
      return { do: 'go', row: Math.min(last, row + 1) };
    case 'ArrowUp':
      return { do: 'go', row: Math.max(0, row - 1) };
    case 'Home':
      return { do: 'go', row: 0 };
    case 'End':
      return { do: 'go', row: last };
    case 'PageDown':
      return { do: 'go', row: Math.min(last, Math.max(0, row) + page) };
    case 'PageUp':
      return { do: 'go', row: Math.max(0, row - page) };
    case 'ArrowLeft':
    case 'ArrowRight':
      return sideways(state, event.key);
    case 'Enter':
      return row >= 0 ? { do: 'choose', row } : null;
    case '*':
      return row >= 0 ? { do: 'open_siblings', row } : null;
    default: {
      const typed = typing.type(event.key, event.timeStamp);
      if (typed === null) return null;
      const found = findTyped(rows, row, typed);
      return { do: 'go', row: found >= 0 ? found : row };
    }
  }
}
