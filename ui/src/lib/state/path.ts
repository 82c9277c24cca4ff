/** Questions about places on the tree; pure, and the same as those of `protocol::tree`. */
import type { BranchId, Checkpoint, Place, Step, StepId } from '$lib/bindings';
import type { Branch, PathItem, SessionTree } from './tree';

type Branches = Pick<SessionTree, 'branches'>;
type Steps = Pick<SessionTree, 'branches' | 'steps'>;

export const START: Place = { branch: 'main', step: -1 };

export function branchOf(tree: Branches, id: BranchId): Branch | null {
  return tree.branches.find((branch) => branch.id === id) ?? null;
}

/** How many items lie up to and with step `step`, without instructions after it. */
export function itemsUntil(items: readonly PathItem[], step: number): number {
  const last = items.findLastIndex((item) => item.kind === 'step' && item.index <= step);
  return last + 1;
}

/** The place said by the branch that owns its step; the start of the session is the root's. */
export function owner(tree: Branches, place: Place): Place {
  let id = place.branch;
  for (;;) {
    const branch = branchOf(tree, id);
    const parent = branch && place.step <= branch.branchPoint ? branch.parent : null;
    if (parent === null) return { branch: id, step: place.step };
    id = parent;
  }
}

/** The branches from the root to this one. */
export function chain(tree: Branches, id: BranchId): Branch[] {
  const branches: Branch[] = [];
  let branch = branchOf(tree, id);
  while (branch) {
    branches.unshift(branch);
    branch = branch.parent === null ? null : branchOf(tree, branch.parent);
  }
  return branches;
}

/** The steps' ids along a place's whole path, from step 0. */
export function pathStepIds(tree: Branches, place: Place): StepId[] {
  const ids: StepId[] = [];
  const branches = chain(tree, place.branch);
  let upTo = place.step;
  const limits = branches.map(() => 0);
  for (let i = branches.length - 1; i >= 0; i -= 1) {
    limits[i] = upTo;
    upTo = Math.min(upTo, branches[i]?.branchPoint ?? upTo);
  }
  branches.forEach((branch, i) => {
    for (const item of branch.items) {
      if (item.kind === 'step' && item.index <= (limits[i] ?? -1)) ids.push(item.step);
    }
  });
  return ids;
}

/** The last step number on a branch's path; its branch point when it has no step of its own. */
export function tipStep(tree: Branches, id: BranchId): number {
  const branch = branchOf(tree, id);
  if (!branch) return -1;
  const last = branch.items.findLast((item) => item.kind === 'step');
  return last?.kind === 'step' ? last.index : branch.branchPoint;
}

/** The end of a branch. */
export function tipPlace(tree: Branches, id: BranchId): Place {
  return { branch: id, step: tipStep(tree, id) };
}

/** The id of the step at a place, if the place's branch itself made it. */
export function ownStepAt(tree: Branches, place: Place): StepId | null {
  const items = branchOf(tree, place.branch)?.items ?? [];
  const item = items.findLast((one) => one.kind === 'step' && one.index === place.step);
  return item?.kind === 'step' ? item.step : null;
}

/** The step at a place of the path. */
export function stepIdAt(tree: Branches, place: Place): StepId | null {
  return ownStepAt(tree, owner(tree, place));
}

export function stepAt(tree: Steps, place: Place): Step | null {
  const id = stepIdAt(tree, place);
  return id === null ? null : (tree.steps.get(id) ?? null);
}

/** Where a step is now. */
export function locate(tree: Steps, id: StepId): Place | null {
  const step = tree.steps.get(id);
  return step ? { branch: step.branch, step: step.index } : null;
}

/** The checkpoint a rollback to that place restores. */
export function checkpointAt(
  tree: Pick<SessionTree, 'branches' | 'steps' | 'base'>,
  place: Place,
): Checkpoint | null {
  for (const id of pathStepIds(tree, place).reverse()) {
    const checkpoint = tree.steps.get(id)?.checkpoint;
    if (checkpoint) return checkpoint;
  }
  return tree.base;
}

/** How many branches leave from a place, abandoned tails not counted (`max_branches`). */
export function branchesAt(tree: Branches, place: Place): number {
  const at = owner(tree, place);
  return tree.branches.filter(
    (branch) =>
      branch.parent === at.branch && branch.branchPoint === at.step && branch.kind !== 'abandoned',
  ).length;
}

/** Steps of its own. */
export function ownSteps(branch: Branch): number {
  return branch.items.filter((item) => item.kind === 'step').length;
}

/** Whether two places are the same step of the same path. */
export function samePlace(tree: Branches, a: Place, b: Place): boolean {
  const [x, y] = [owner(tree, a), owner(tree, b)];
  return x.branch === y.branch && x.step === y.step;
}

/** Whether the end of the path holds an instruction that the model has not answered. */
export function instructionWaits(tree: Pick<SessionTree, 'branches' | 'cursor'>): boolean {
  const { cursor } = tree;
  if (!cursor) return false;
  const items = branchOf(tree, cursor.branch)?.items ?? [];
  return items[itemsUntil(items, cursor.step)]?.kind === 'instruction';
}
