/** What a path changed in the files since the start of the session. */
import type { ChangeKind, FileChange, FileVersion, Place } from '$lib/bindings';
import { pathStepIds } from './path';
import type { SessionTree } from './tree';

interface Sides {
  /** As it was at the start. */
  readonly old: FileVersion | null;
  readonly now: FileVersion | null;
}

/** Each path that differs from the start, and how. What was changed and changed back is left out. */
export function changesSinceStart(
  tree: Pick<SessionTree, 'branches' | 'steps' | 'marks'>,
  place: Place,
): Map<string, ChangeKind> {
  const sides = new Map<string, Sides>();
  const take = (changes: readonly FileChange[]): void => {
    for (const change of changes) {
      const known = sides.get(change.path);
      sides.set(change.path, { old: known ? known.old : change.old, now: change.new });
    }
  };
  for (const id of ['', ...pathStepIds(tree, place)]) {
    const checkpoint = tree.steps.get(id)?.checkpoint;
    if (checkpoint?.created) take(checkpoint.changes);
    for (const { body } of tree.marks.get(id) ?? []) {
      if (body.kind === 'checkpoint') take(body.checkpoint.changes);
    }
  }
  const kinds = new Map<string, ChangeKind>();
  for (const [path, { old, now }] of sides) {
    const kind = kindOf(old, now);
    if (kind) kinds.set(path, kind);
  }
  return kinds;
}

function kindOf(old: FileVersion | null, now: FileVersion | null): ChangeKind | null {
  if (!old) return now ? 'added' : null;
  if (!now) return 'deleted';
  if (old.blob !== now.blob) return 'modified';
  return old.mode === now.mode ? null : 'mode_changed';
}
