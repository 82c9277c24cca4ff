/** What of a session is looked at: branch, focus, what is unfolded, which dialog is open. */
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type { BranchId, CheckpointId, DisplayView, Place, StepId } from '$lib/bindings';
import { branchOf, checkpointAt, locate, owner, samePlace, START } from './path';
import type { SessionModel } from './session.svelte';
import { timelineRows } from './timeline';
import type { ProposedCall } from './tree';

export type Dialog =
  | { readonly kind: 'rollback'; readonly place: Place }
  | { readonly kind: 'branch'; readonly place: Place }
  | { readonly kind: 'finish' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'continue' }
  | { readonly kind: 'call' }
  | { readonly kind: 'recording' }
  | { readonly kind: 'shortcuts' };

/** A file on screen; without a checkpoint it follows the one that the file tree stands at. */
export interface OpenFile {
  readonly path: string;
}

const DEFAULT_DISPLAY: DisplayView = {
  diff_style: 'unified',
  diff_context_lines: 3,
  syntax_highlight: true,
  show_line_numbers: true,
  terminal_theme: 'dark',
  file_tree: true,
  file_tree_position: 'left',
  file_tree_click_to_navigate: true,
};

export class SessionView {
  readonly session: SessionModel;
  readonly display: DisplayView;

  #chosenBranch = $state<BranchId | null>(null);
  focusedStep = $state<StepId | null>(null);
  /** Counts up when the focus was moved and its row is to be brought into sight. */
  revealed = $state(0);
  /** Counts up when the end of the timeline is to be gone to. */
  wentLive = $state(0);
  /** Abandoned branches that are shown where they leave. */
  readonly tails = new SvelteSet<BranchId>();
  /** What was folded or unfolded by hand, by the part's name. */
  readonly folds = new SvelteMap<string, boolean>();
  dialog = $state.raw<Dialog | null>(null);
  file = $state.raw<OpenFile | null>(null);
  /** Whether the file tree stands at the focused step instead of the latest checkpoint. */
  filesAtFocus = $state(false);
  comparison = $state.raw<{ a: BranchId | null; b: BranchId | null } | null>(null);
  /** The message that offers to undo a rollback, and how many moves can be undone while it is that
   * one; `current` once the events have told of it. */
  undoOffer: { toast: number; depth: number; current: boolean } | null = null;
  /** Counts up when the box for instructions is to get the focus. */
  composerFocus = $state(0);
  /** Instruction that is being written. */
  draft = $state('');

  constructor(session: SessionModel, display: DisplayView | null) {
    this.session = session;
    this.display = display ?? DEFAULT_DISPLAY;
  }

  readonly branch = $derived.by((): BranchId => {
    const chosen = this.#chosenBranch;
    if (chosen !== null && branchOf(this.session, chosen)) return chosen;
    return this.session.cursor?.branch ?? START.branch;
  });
  readonly followsSession = $derived.by(
    () => this.branch === (this.session.cursor?.branch ?? START.branch),
  );
  /** Whether something is shown at the end of the timeline besides steps. */
  readonly writing = $derived.by(() => {
    const { active, live, waiting } = this.session;
    if (!this.followsSession) return false;
    return active || (waiting && live.pending !== null);
  });
  readonly rows = $derived.by(() =>
    timelineRows(
      {
        branches: this.session.branches,
        marks: this.session.marks,
        cursor: this.session.cursor,
      },
      { branch: this.branch, unfolded: this.tails, live: this.writing },
    ),
  );
  /** The steps on the timeline, in order. */
  readonly steps = $derived(this.rows.flatMap((row) => (row.kind === 'step' ? [row.step] : [])));

  /** The checkpoint that the file tree stands at; null before there is one. */
  readonly filesAt = $derived.by((): CheckpointId | null => {
    const { tree } = this.session;
    if (this.filesAtFocus && this.focusedStep !== null) {
      const place = locate(tree, this.focusedStep);
      return (place && checkpointAt(tree, place)?.id) ?? null;
    }
    return tree.lastCheckpoint?.id ?? null;
  });

  /** The call that waits for the annotator, if one does. */
  readonly waitingCall = $derived.by((): ProposedCall | null => {
    const { state, live } = this.session;
    if (state?.state !== 'paused') return null;
    return live.pending?.calls[0] ?? null;
  });

  /** Looks at a branch; the session's own follows the session again. */
  look(branch: BranchId | null): void {
    this.#chosenBranch = branch === this.session.cursor?.branch ? null : branch;
  }

  focus(step: StepId): void {
    this.focusedStep = step;
  }

  /** Moves the focus along the steps on the timeline. */
  moveFocus(by: number): void {
    const at = this.focusedStep === null ? -1 : this.steps.indexOf(this.focusedStep);
    const from = at < 0 && by < 0 ? this.steps.length : at;
    const next = Math.min(Math.max(from + by, 0), this.steps.length - 1);
    const step = this.steps[next];
    if (step === undefined) return;
    this.focusedStep = step;
    this.revealed += 1;
  }

  /** Shows a step wherever it is. */
  reveal(step: StepId): void {
    const place = locate(this.session, step);
    if (!place) return;
    if (!this.steps.includes(step)) this.look(place.branch);
    this.focusedStep = step;
    this.revealed += 1;
  }

  goLive(): void {
    this.look(null);
    this.wentLive += 1;
  }

  /** Shows the files as they were after a step. */
  browse(step: StepId): void {
    this.focusedStep = step;
    this.filesAtFocus = true;
  }

  /** Shows a file as it was after a step. */
  openFileAt(step: StepId, path: string): void {
    this.browse(step);
    this.file = { path };
  }

  isFolded(part: string, byDefault: boolean): boolean {
    return this.folds.get(part) ?? byDefault;
  }

  setFolded(part: string, folded: boolean): void {
    this.folds.set(part, folded);
  }

  /** Where a rollback goes when no step was named: after the focused step, or after the one before
   * where the session stands. */
  rollbackPlace(): Place {
    const cursor = this.session.cursor ?? START;
    const focused = this.#focusedPlace();
    if (focused && !samePlace(this.session, focused, cursor)) return focused;
    return owner(this.session, { branch: cursor.branch, step: Math.max(-1, cursor.step - 1) });
  }

  /** Where a branch leaves when no step was named: after the focused step, after the one that was
   * rolled back to, or as a rollback would. */
  branchPlace(): Place {
    const focused = this.#focusedPlace();
    if (focused) return focused;
    const pending = this.session.tree.pendingRollback;
    return pending ? owner(this.session, pending.to) : this.rollbackPlace();
  }

  #focusedPlace(): Place | null {
    const step = this.focusedStep;
    return step !== null && this.steps.includes(step) ? locate(this.session, step) : null;
  }
}
