/**
 * The session as a tree: what `reduce` makes of the events. The twin of `protocol::tree`.
 *
 * Immutable: a change replaces what it touches and shares the rest, so that `===` tells a component
 * whether its own part changed. Large texts that only preview a result live under `live`.
 */
import type {
  Actor,
  AnnotationTarget,
  AppError,
  BackendSettings,
  Block,
  BranchId,
  BranchKind,
  Checkpoint,
  CheckpointCause,
  CheckpointId,
  InjectAs,
  Intervention,
  MessageId,
  Millis,
  Place,
  SessionMeta,
  SessionState,
  Step,
  StepId,
  StepResult,
  TestOutcome,
  Usage,
  WorktreeId,
} from '$lib/bindings';

export interface StepItem {
  readonly kind: 'step';
  readonly step: StepId;
  /** The step's number along its path; never changes. */
  readonly index: number;
}

export interface InstructionItem {
  readonly kind: 'instruction';
  readonly text: string;
  readonly injectAs: InjectAs;
  readonly by: Actor;
  readonly at: Millis;
  /** The number of its event. */
  readonly seq: number;
}

/** One entry of a branch, in order. */
export type PathItem = StepItem | InstructionItem;

export interface TestRecord {
  readonly afterStep: number;
  readonly command: string;
  readonly outcome: TestOutcome;
  readonly result: StepResult;
  readonly at: Millis;
  readonly seq: number;
}

/** A path through the session tree, without its ancestors' part. */
export interface Branch {
  readonly id: BranchId;
  readonly kind: BranchKind;
  readonly parent: BranchId | null;
  /** The parent's step after which it leaves; -1 for the root and before the first step. */
  readonly branchPoint: number;
  readonly instruction: string | null;
  readonly gitBranch: string;
  readonly items: readonly PathItem[];
  readonly tests: readonly TestRecord[];
  /** The last checkpoint recorded on it, hand-made ones included. */
  readonly tip: Checkpoint | null;
  readonly createdAt: Millis;
}

export interface Message {
  readonly id: MessageId;
  readonly blocks: readonly Block[];
  readonly usage: Usage;
  readonly modelMs: number;
}

export interface Answer {
  readonly value: unknown;
  readonly by: Actor;
  readonly annotator: string;
  readonly at: Millis;
  readonly revision: number;
}

/** What happened between steps, as the timeline shows it. */
export type MarkBody =
  | { readonly kind: 'intervention'; readonly by: Actor; readonly intervention: Intervention }
  | { readonly kind: 'notice'; readonly code: string; readonly text: string }
  | { readonly kind: 'failed'; readonly error: AppError }
  | {
      readonly kind: 'provider';
      readonly error: AppError;
      readonly attempt: number;
      readonly retried: boolean;
    }
  | {
      readonly kind: 'checkpoint';
      readonly cause: CheckpointCause;
      readonly checkpoint: Checkpoint;
      /** The checkpoint it was made on top of. */
      readonly before: CheckpointId | null;
    }
  | { readonly kind: 'left_alone'; readonly paths: readonly string[] };

export interface Mark {
  /** The event's number: unique, and orders marks of one place. */
  readonly seq: number;
  readonly at: Millis;
  /** The branch the session was on. */
  readonly branch: BranchId;
  readonly body: MarkBody;
}

/** A rollback or branch that can be undone. */
export interface UndoPoint {
  readonly from: Place;
  readonly step: StepId | null;
  readonly before: CheckpointId;
}

export interface Output {
  readonly text: string;
  /** Whether the beginning was let go of. */
  readonly cut: boolean;
}

/** A tool call that the model made and that has not begun. */
export interface ProposedCall {
  readonly callId: string;
  readonly name: string;
  /** What it runs with. */
  readonly input: unknown;
  /** The model's own arguments, where the annotator changed them. */
  readonly before?: unknown;
}

export interface ProviderTrouble {
  readonly error: AppError;
  readonly attempt: number;
  /** When the server is asked again; null when it is not. */
  readonly retryAt: Millis | null;
}

/** What is only shown: previews of results that are still to come. */
export interface Live {
  readonly text: string;
  readonly thinking: string;
  /** When the first piece of the unfinished message came. */
  readonly since: Millis | null;
  /** The last whole message while some of its calls have not begun. */
  readonly pending: { readonly message: MessageId; readonly calls: readonly ProposedCall[] } | null;
  readonly outputs: ReadonlyMap<StepId, Output>;
  readonly progress: {
    readonly label: string;
    readonly done: number;
    readonly total: number | null;
  } | null;
  readonly provider: ProviderTrouble | null;
}

/** Working time: the sum of what is over, and since when the agent works now. */
export interface Clock {
  readonly spentMs: number;
  readonly since: Millis | null;
}

/** What a worktree has of its own. */
export interface Standing {
  readonly state: SessionState | null;
  readonly cursor: Place | null;
  readonly lastCheckpoint: Checkpoint | null;
  /** A rollback after which neither a step nor an instruction followed yet. */
  readonly pendingRollback: { readonly from: Place; readonly to: Place } | null;
  readonly openRestore: {
    readonly from: Place;
    readonly to: Place;
    readonly before: CheckpointId;
    readonly target: CheckpointId;
  } | null;
  readonly undo: readonly UndoPoint[];
  /** What the last run worked with; null before the first. */
  readonly backend: BackendSettings | null;
  readonly clock: Clock;
  readonly live: Live;
}

/** Its own standing is that of the worktree the annotator turned to. */
export interface SessionTree extends Standing {
  readonly meta: SessionMeta | null;
  readonly worktree: WorktreeId;
  /** The other worktrees that are open. */
  readonly others: ReadonlyMap<WorktreeId, Standing>;
  /** In order of creation; the root is first. */
  readonly branches: readonly Branch[];
  readonly steps: ReadonlyMap<StepId, Step>;
  readonly messages: ReadonlyMap<MessageId, Message>;
  /** By the step the session stood after; `''` is before the first step. */
  readonly marks: ReadonlyMap<StepId, readonly Mark[]>;
  /** By `targetKey`, then by scheme. */
  readonly answers: ReadonlyMap<string, ReadonlyMap<string, Answer>>;
  /** Comparisons with an answer, in the order of their last answer. */
  readonly comparisons: readonly (readonly [BranchId, BranchId])[];
  readonly base: Checkpoint | null;
  /** Checkpoints outside steps. */
  readonly kept: ReadonlyMap<CheckpointId, Checkpoint>;
  readonly usage: Usage;
  readonly lastSeq: number;
  readonly updatedAt: Millis;
}

const EMPTY_LIVE: Live = {
  text: '',
  thinking: '',
  since: null,
  pending: null,
  outputs: new Map(),
  progress: null,
  provider: null,
};

export const EMPTY_STANDING: Standing = {
  state: null,
  cursor: null,
  lastCheckpoint: null,
  pendingRollback: null,
  openRestore: null,
  undo: [],
  backend: null,
  clock: { spentMs: 0, since: null },
  live: EMPTY_LIVE,
};

export const EMPTY_TREE: SessionTree = {
  ...EMPTY_STANDING,
  meta: null,
  worktree: 0,
  others: new Map(),
  branches: [],
  steps: new Map(),
  messages: new Map(),
  marks: new Map(),
  answers: new Map(),
  comparisons: [],
  base: null,
  kept: new Map(),
  usage: { input_tokens: 0, output_tokens: 0, cached_tokens: 0 },
  lastSeq: 0,
  updatedAt: 0,
};

/** The standing of the worktree that a tree speaks about, by itself. */
export function standingOf(tree: Standing): Standing {
  const { state, cursor, lastCheckpoint, pendingRollback, openRestore } = tree;
  const { undo, backend, clock, live } = tree;
  return {
    state,
    cursor,
    lastCheckpoint,
    pendingRollback,
    openRestore,
    undo,
    backend,
    clock,
    live,
  };
}

/** What each open worktree does, by the branch it stands on. */
export function statesByBranch(tree: SessionTree): ReadonlyMap<BranchId, SessionState | null> {
  const states = new Map<BranchId, SessionState | null>();
  for (const { cursor, state } of [...tree.others.values(), tree]) {
    if (cursor) states.set(cursor.branch, state);
  }
  return states;
}

/** A target as the key of `answers`. */
export function targetKey(target: AnnotationTarget): string {
  switch (target.target) {
    case 'step':
      return `step ${target.step}`;
    case 'branch':
      return `branch ${target.branch}`;
    case 'comparison':
      return `comparison ${target.a} ${target.b}`;
    case 'session':
      return 'session';
  }
}

/** Whether the agent may be doing something right now. */
export function isActive(state: SessionState | null): boolean {
  switch (state?.state) {
    case 'preparing':
    case 'running':
    case 'pausing':
    case 'restoring':
    case 'testing':
      return true;
    default:
      return false;
  }
}
