/** What the controls and shortcuts of a session do. Each checks by itself whether it can be done. */
import { branchesAt } from '$lib/state/path';
import { toasts } from '$lib/state/toasts.svelte';
import type { Place } from '$lib/bindings';
import type { SessionView } from '$lib/state/view.svelte';
import { controls, type Reason } from '$lib/words/controls';
import * as m from '$paraglide/messages';

export interface SessionActions {
  readonly main: () => void;
  readonly stop: () => void;
  readonly rollback: () => void;
  readonly undo: () => void;
  readonly branch: () => void;
  readonly compare: () => void;
  readonly tests: () => void;
  readonly finish: () => void;
}

/** Shows why something cannot be done; tells whether it can. */
function allowed(reason: Reason): boolean {
  if (reason !== null) toasts.show('warning', reason);
  return reason === null;
}

export function sessionActions(view: SessionView): SessionActions {
  const { session } = view;
  const can = () => controls(session.tree);
  return {
    main: () => {
      const { main, mainReason } = can();
      if (!allowed(mainReason)) return;
      if (main !== 'pause') view.look(null);
      void session.op({ op: main === 'pause' ? 'pause' : 'resume' });
    },
    stop: () => {
      if (allowed(can().stop)) void session.op({ op: 'stop' });
    },
    rollback: () => {
      if (allowed(can().rollback)) void askToRollBack(view, view.rollbackPlace());
    },
    undo: () => {
      if (allowed(can().undo)) void undoRollback(view);
    },
    branch: () => {
      if (allowed(can().branch)) view.dialog = { kind: 'branch', place: view.branchPlace() };
    },
    compare: () => {
      if (allowed(can().compare)) view.comparison = proposedPair(view);
    },
    tests: () => {
      if (allowed(can().tests)) void session.op({ op: 'run_tests' });
    },
    finish: () => {
      if (allowed(can().finish)) view.dialog = { kind: 'finish' };
    },
  };
}

/** Asks first, unless the configuration wants neither a preview nor a confirmation. */
export async function askToRollBack(view: SessionView, place: Place): Promise<void> {
  const settings = view.session.controls;
  if (settings?.show_checkpoint_diff === false && !settings.require_confirmation) {
    await rollBack(view, place, null);
  } else {
    view.dialog = { kind: 'rollback', place };
  }
}

/** Rolls back and offers to undo it; tells whether it was done. */
export async function rollBack(
  view: SessionView,
  place: Place,
  stepsUndone: number | null,
): Promise<boolean> {
  const depth = view.session.tree.undo.length + 1;
  const done = await view.session.op({ op: 'rollback', to: place });
  if (!done) return false;
  view.look(null);
  const id = toasts.show('success', m.rolled_back_toast(), {
    text: stepsUndone === null ? '' : m.rolled_back_toast_text({ count: stepsUndone }),
    action: { label: m.undo(), run: () => void undoRollback(view) },
  });
  view.undoOffer = { toast: id, depth, current: false };
  return true;
}

/** Takes the offer to undo back once something else would be undone. To be called when the number of
 * moves that can be undone changes. */
export function checkUndoOffer(view: SessionView, depth: number): void {
  const offer = view.undoOffer;
  if (!offer) return;
  if (depth === offer.depth) {
    offer.current = true;
  } else if (offer.current || depth > offer.depth) {
    toasts.dismiss(offer.toast);
    view.undoOffer = null;
  }
}

export async function undoRollback(view: SessionView): Promise<void> {
  if (await view.session.op({ op: 'undo_rollback' })) {
    view.look(null);
    toasts.show('success', m.undone_toast());
  }
}

/** Why no branch can leave from a place; null when one can. */
export function branchLimitReason(view: SessionView, place: Place): Reason {
  const max = view.session.controls?.max_branches ?? Number.POSITIVE_INFINITY;
  const count = branchesAt(view.session, place);
  return count >= max ? m.branch_limit({ count }) : null;
}

/** The two branches to compare when none were named: the last two that were not left behind. */
function proposedPair({ session }: SessionView): { a: string | null; b: string | null } {
  const last = session.tree.comparisons.at(-1);
  if (last) return { a: last[0], b: last[1] };
  const kept = session.branches.filter((branch) => branch.kind !== 'abandoned');
  const [a, b] = (kept.length >= 2 ? kept : session.branches).slice(-2);
  return { a: a?.id ?? null, b: b?.id ?? null };
}
