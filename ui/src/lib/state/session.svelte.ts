/**
 * An open session: the folded tree, and the way to ask for operations. Nothing here changes the
 * session by itself; what is shown comes from events.
 */
import { SvelteMap } from 'svelte/reactivity';
import type {
  AnnotationTarget,
  AppError,
  BranchId,
  CheckpointId,
  Event as SessionEvent,
  FileDiff,
  Op,
  SessionId,
  StepId,
} from '$lib/bindings';
import { BackendError, type Backend, type Subscription } from '$lib/transport/backend';
import { fold } from './reduce';
import { toasts } from './toasts.svelte';
import {
  EMPTY_TREE,
  isActive,
  statesByBranch,
  targetKey,
  type Answer,
  type SessionTree,
} from './tree';

/** How far an answer is on its way to the database. */
export type Saving = 'saving' | 'saved' | 'failed';

const DIFFS_KEPT = 300;

export function asAppError(fault: unknown): AppError {
  if (fault instanceof BackendError) return fault.app;
  const message = fault instanceof Error ? fault.message : String(fault);
  return { code: 'internal', message, hint: '', details: [], retryable: false };
}

/** A difference that is asked for once; there at once when it is shown again. */
export class Diff {
  files = $state.raw<FileDiff[] | null>(null);
  error = $state.raw<AppError | null>(null);

  constructor(ask: () => Promise<FileDiff[]>, forget: () => void) {
    ask().then(
      (files) => (this.files = files),
      (fault: unknown) => {
        this.error = asAppError(fault);
        forget();
      },
    );
  }
}

export class SessionModel {
  readonly id: SessionId;
  readonly backend: Backend;

  tree = $state.raw<SessionTree>(EMPTY_TREE);
  /** Why events no longer come; null while they do. */
  problem = $state.raw<AppError | null>(null);
  /** The operation that was asked for and is not answered yet. */
  asking = $state<Op['op'] | null>(null);
  readonly saving = new SvelteMap<string, Saving>();

  // Parts of the tree by themselves: who reads one is not disturbed when another changes.
  readonly meta = $derived(this.tree.meta);
  readonly state = $derived(this.tree.state);
  readonly cursor = $derived(this.tree.cursor);
  readonly branches = $derived(this.tree.branches);
  readonly marks = $derived(this.tree.marks);
  readonly steps = $derived(this.tree.steps);
  readonly messages = $derived(this.tree.messages);
  readonly answers = $derived(this.tree.answers);
  readonly live = $derived(this.tree.live);
  readonly controls = $derived(this.tree.meta?.settings.controls ?? null);
  readonly schemes = $derived(this.tree.meta?.settings.schemes ?? []);
  readonly active = $derived(isActive(this.tree.state));
  /** Whether each branch runs in a worktree of its own. */
  readonly apart = $derived(this.tree.meta?.settings.checkpoints.worktrees === true);
  /** What the open worktrees do, by the branch each stands on. */
  readonly standings = $derived(statesByBranch(this.tree));
  /** Whether the annotator decides how it goes on. */
  readonly waiting = $derived(this.state?.state === 'paused' || this.state?.state === 'ended');
  readonly over = $derived(this.state?.state === 'finished' || this.state?.state === 'parked');

  #subscription: Subscription | null = null;
  /** Events of earlier subscriptions are not taken in. */
  #generation = 0;
  #closed = false;
  /** Where the last gap was: one that comes again at the same place is not mended by asking again. */
  #gapAfter = -1;
  readonly #diffs = new Map<string, Diff>();

  constructor(id: SessionId, backend: Backend) {
    this.id = id;
    this.backend = backend;
  }

  /** Begins, or begins again, to take in the session's events from the first. */
  async connect(): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    let incoming = EMPTY_TREE;
    // What is on screen stays until the new stream has caught up with it.
    const shown = this.tree.lastSeq;
    const take = (events: readonly SessionEvent[]): void => {
      if (generation !== this.#generation || this.#closed) return;
      const { tree, gap } = fold(incoming, events);
      incoming = tree;
      if (tree.lastSeq >= shown) this.tree = tree;
      if (gap) this.#mendGap(tree.lastSeq);
    };
    try {
      const subscription = await this.backend.subscribe(this.id, take);
      if (generation !== this.#generation) return;
      this.#subscription = subscription;
      this.problem = null;
    } catch (fault) {
      if (generation === this.#generation) this.problem = asAppError(fault);
    }
  }

  #mendGap(after: number): void {
    if (after === this.#gapAfter) {
      this.#generation += 1;
      this.problem = asAppError(new Error(`Events are missing after number ${after}.`));
      return;
    }
    this.#gapAfter = after;
    void this.connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#generation += 1;
    try {
      await this.#subscription?.close();
    } catch (fault) {
      console.warn('the subscription could not be closed', fault);
    }
  }

  /** Asks for an operation. A refusal is shown; the answer tells whether it was done. */
  async op(op: Op): Promise<boolean> {
    const exclusive = op.op !== 'annotate';
    if (exclusive && this.asking !== null) return false;
    if (exclusive) this.asking = op.op;
    try {
      await this.backend.sendOp(this.id, op);
      return true;
    } catch (fault) {
      toasts.error(asAppError(fault));
      return false;
    } finally {
      if (exclusive) this.asking = null;
    }
  }

  /** Turns to a branch's worktree; one is opened where none stands on it. */
  async turnTo(branch: BranchId): Promise<boolean> {
    if (this.tree.cursor?.branch === branch) return true;
    return this.op({ op: 'focus', branch });
  }

  /** Runs the test command on several branches at once, each in its worktree. */
  async testAll(branches: readonly BranchId[]): Promise<void> {
    const back = this.tree.cursor?.branch;
    for (const branch of branches) {
      if (!(await this.turnTo(branch))) return;
      if (!(await this.op({ op: 'run_tests' }))) return;
    }
    if (back !== undefined) await this.turnTo(back);
  }

  answer(target: AnnotationTarget, scheme: string): Answer | null {
    return this.answers.get(targetKey(target))?.get(scheme) ?? null;
  }

  /** Gives an answer, or with null takes it back. */
  async annotate(target: AnnotationTarget, scheme: string, value: unknown): Promise<void> {
    const key = `${targetKey(target)} ${scheme}`;
    this.saving.set(key, 'saving');
    const done = await this.op({ op: 'annotate', target, scheme, value });
    this.saving.set(key, done ? 'saved' : 'failed');
  }

  savingOf(target: AnnotationTarget, scheme: string): Saving | null {
    return this.saving.get(`${targetKey(target)} ${scheme}`) ?? null;
  }

  /** What a step changed; asked for once. */
  stepDiff(step: StepId): Diff {
    return this.#diff(`step ${step}`, () => this.backend.stepDiff(this.id, step));
  }

  /** What differs between two checkpoints; asked for once. */
  checkpointDiff(from: CheckpointId | null, to: CheckpointId): Diff {
    return this.#diff(`${from ?? ''} ${to}`, () => this.backend.checkpointDiff(this.id, from, to));
  }

  #diff(key: string, ask: () => Promise<FileDiff[]>): Diff {
    const known = this.#diffs.get(key);
    if (known) return known;
    const diff = new Diff(ask, () => this.#diffs.delete(key));
    this.#diffs.set(key, diff);
    const [oldest] = this.#diffs.keys();
    if (oldest !== undefined && this.#diffs.size > DIFFS_KEPT) this.#diffs.delete(oldest);
    return diff;
  }
}
