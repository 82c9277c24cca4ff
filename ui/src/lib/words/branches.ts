/** Branches in words, and the colour each keeps. */
import type { BranchId, BranchKind } from '$lib/bindings';
import type { Branch } from '$lib/state/tree';
import * as m from '$paraglide/messages';

const COLOURS = 6;

export function branchKindWords(kind: BranchKind): string {
  switch (kind) {
    case 'root':
      return m.branch_root();
    case 'instructed':
      return m.branch_instructed();
    case 'continued':
      return m.branch_continued();
    case 'abandoned':
      return m.branch_abandoned();
  }
}

/** A branch's colour: by order of creation, tails all alike. */
export function branchColour(branches: readonly Branch[], id: BranchId): string {
  const branch = branches.find((one) => one.id === id);
  if (!branch || branch.kind === 'abandoned') return 'var(--branch-abandoned)';
  const live = branches.filter((one) => one.kind !== 'abandoned');
  return `var(--branch-${(live.indexOf(branch) % COLOURS) + 1})`;
}
