/** Which controls can be used now; those that cannot, with the reason in words. */
import { instructionWaits } from '$lib/state/path';
import { isActive, type SessionTree } from '$lib/state/tree';
import * as m from '$paraglide/messages';

/** Null is "can be used". */
export type Reason = string | null;

export interface Controls {
  /** What the main button does. */
  readonly main: 'start' | 'pause' | 'resume';
  readonly mainReason: Reason;
  readonly stop: Reason;
  readonly instruct: Reason;
  readonly rollback: Reason;
  readonly undo: Reason;
  readonly branch: Reason;
  readonly compare: Reason;
  readonly tests: Reason;
  readonly finish: Reason;
}

export type ControlSource = Pick<
  SessionTree,
  'state' | 'meta' | 'branches' | 'steps' | 'base' | 'undo' | 'cursor'
>;

export function controls(tree: ControlSource): Controls {
  const over = isOver(tree) ? m.why_over() : null;
  return {
    ...main(tree, over),
    stop: over ?? (isActive(tree.state) ? whileMoving(tree) : m.why_nothing_runs()),
    instruct: over ?? instruct(tree),
    rollback: over ?? moving(tree, tree.meta?.settings.controls.rollback ?? true),
    undo: over ?? undo(tree),
    branch: over ?? moving(tree, tree.meta?.settings.controls.branch ?? true),
    compare: compare(tree),
    tests: over ?? tests(tree),
    finish: over ?? whileMoving(tree),
  };
}

function isOver({ state }: ControlSource): boolean {
  return state?.state === 'finished' || state?.state === 'parked';
}

function whileMoving({ state }: ControlSource): Reason {
  return state?.state === 'restoring' || state?.state === 'preparing' ? m.why_busy() : null;
}

function main(tree: ControlSource, over: Reason): Pick<Controls, 'main' | 'mainReason'> {
  const { state } = tree;
  const off = tree.meta?.settings.controls.pause === false ? m.why_off() : null;
  switch (state?.state) {
    case 'paused': {
      const fresh = state.reason.kind === 'not_started';
      return { main: fresh ? 'start' : 'resume', mainReason: over };
    }
    case 'ended':
      return { main: 'resume', mainReason: instructionWaits(tree) ? null : m.why_ended() };
    case 'pausing':
      return { main: 'resume', mainReason: null };
    case 'running':
      return { main: 'pause', mainReason: off };
    default:
      return { main: 'pause', mainReason: over ?? m.why_nothing_runs() };
  }
}

function instruct({ state, meta }: ControlSource): Reason {
  if (meta?.settings.controls.instruct === false) return m.instruct_off();
  if (state?.state === 'paused' || state?.state === 'ended') return null;
  return m.instruct_running();
}

/** Rolling back and branching. */
function moving(tree: ControlSource, on: boolean): Reason {
  if (!on) return m.why_off();
  if (tree.meta?.settings.checkpoints.enabled === false) return m.why_checkpoints_off();
  if (tree.steps.size === 0) return m.why_no_steps();
  return whileMoving(tree);
}

function undo(tree: ControlSource): Reason {
  if (tree.meta?.settings.controls.rollback === false) return m.why_off();
  return tree.undo.length === 0 ? m.why_no_undo() : whileMoving(tree);
}

function compare({ branches, meta }: ControlSource): Reason {
  if (meta?.settings.controls.compare_view === false) return m.compare_off();
  return branches.length < 2 ? m.why_two_branches() : null;
}

function tests({ state, meta }: ControlSource): Reason {
  if (meta?.task.test_command == null) return m.tests_none();
  return isActive(state) ? m.why_pause_first() : null;
}
