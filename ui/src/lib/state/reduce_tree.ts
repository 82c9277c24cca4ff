/** The parts of the fold that move branches, cursors and answers. */
import type {
  Actor,
  AnnotationTarget,
  BranchId,
  CheckpointId,
  Intervention,
  Millis,
  NewBranch,
  Place,
} from '$lib/bindings';
import type { Draft, DraftBranch } from './draft';
import { checkpointAt, itemsUntil, ownStepAt, START } from './path';
import { targetKey, type Answer, type Standing } from './tree';

function born(branch: NewBranch, at: Millis): DraftBranch {
  return {
    id: branch.id,
    kind: branch.kind,
    parent: branch.parent,
    branchPoint: branch.branch_point,
    instruction: branch.instruction,
    gitBranch: branch.git_branch,
    items: [],
    tests: [],
    tip: null,
    createdAt: at,
  };
}

export function addBranch(draft: Draft, branch: NewBranch, at: Millis): void {
  const { tree } = draft;
  tree.pendingRollback = null;
  const made = born(branch, at);
  if (branch.instruction !== null) {
    made.items.push({
      kind: 'instruction',
      text: branch.instruction,
      injectAs: tree.meta?.settings.controls.inject_as ?? 'system_message',
      by: 'person',
      at,
      seq: tree.lastSeq,
    });
  }
  tree.cursor = { branch: branch.id, step: branch.branch_point };
  draft.addBranch(made);
}

export function abandonTail(
  draft: Draft,
  id: BranchId,
  afterStep: number,
  tail: NewBranch,
  at: Millis,
): void {
  const { tree } = draft;
  tree.pendingRollback = null;
  const abandoned = born(tail, at);
  const branch = draft.branch(id);
  if (branch) {
    abandoned.items = branch.items.splice(itemsUntil(branch.items, afterStep));
    abandoned.tests = branch.tests.filter((test) => test.afterStep > afterStep);
    branch.tests = branch.tests.filter((test) => test.afterStep <= afterStep);
    abandoned.tip = branch.tip;
    branch.tip = checkpointAt(tree, { branch: id, step: afterStep });
  }
  for (const item of abandoned.items) {
    const step = item.kind === 'step' ? tree.steps.get(item.step) : undefined;
    if (step) draft.steps.set(step.id, { ...step, branch: tail.id });
  }
  for (const child of tree.branches) {
    if (child.parent === id && child.branchPoint > afterStep) {
      const moved = draft.branch(child.id);
      if (moved) moved.parent = tail.id;
    }
  }
  draft.addBranch(abandoned);
  moveStandings(draft, id, afterStep, tail.id);
}

/** Other worktrees that stand on a tail go with it. */
function moveStandings(draft: Draft, branch: BranchId, afterStep: number, to: BranchId): void {
  const moved = (place: Place): Place =>
    place.branch === branch && place.step > afterStep ? { ...place, branch: to } : place;
  const others = [...draft.tree.others].map(([id, other]) => {
    const { cursor, pendingRollback: pending } = other;
    const standing: Standing = {
      ...other,
      cursor: cursor && moved(cursor),
      pendingRollback: pending && { from: moved(pending.from), to: moved(pending.to) },
    };
    return [id, standing] as const;
  });
  draft.tree.others = new Map(others);
}

export function intervene(draft: Draft, by: Actor, intervention: Intervention, at: Millis): void {
  const { tree } = draft;
  const place = tree.cursor ?? START;
  switch (intervention.kind) {
    case 'instruct':
      draft.branch(place.branch)?.items.push({
        kind: 'instruction',
        text: intervention.text,
        injectAs: intervention.inject_as,
        by,
        at,
        seq: tree.lastSeq,
      });
      return;
    case 'rollback': {
      const { from, to } = intervention;
      pushUndo(draft, from);
      // Going back to where one stands leaves nothing behind.
      const stays = from.branch === to.branch && from.step === to.step;
      tree.pendingRollback = stays ? null : { from, to };
      return;
    }
    case 'branch':
      // A branch in a worktree of its own left nothing: what it branched from goes on.
      if (tree.meta?.settings.checkpoints.worktrees) return;
      pushUndo(draft, intervention.from);
      return;
    case 'undo_rollback':
      tree.undo = tree.undo.slice(0, -1);
      tree.pendingRollback = null;
      return;
    default:
      return;
  }
}

function pushUndo(draft: Draft, from: Place): void {
  const { tree } = draft;
  tree.undo = [
    ...tree.undo,
    { from, step: ownStepAt(tree, from), before: tree.lastCheckpoint?.id ?? '' },
  ];
}

export function annotate(
  draft: Draft,
  target: AnnotationTarget,
  scheme: string,
  answer: Answer,
): void {
  const { tree } = draft;
  const key = targetKey(target);
  const answers = new Map(tree.answers.get(key));
  if (answer.value === null) answers.delete(scheme);
  else answers.set(scheme, answer);
  draft.answers.set(key, answers);
  if (target.target === 'comparison') {
    const others = tree.comparisons.filter(([a, b]) => a !== target.a || b !== target.b);
    tree.comparisons = answers.size > 0 ? [...others, [target.a, target.b]] : others;
  }
}

/** After a restore the files are those of `target`: what is recorded next goes on top of it. */
export function standOn(draft: Draft, target: CheckpointId): void {
  const { tree } = draft;
  let known = tree.kept.get(target) ?? null;
  if (!known) {
    for (const step of tree.steps.values()) {
      if (step.checkpoint?.id === target) {
        known = step.checkpoint;
        break;
      }
    }
  }
  if (known) tree.lastCheckpoint = known;
}
