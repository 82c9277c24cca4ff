/**
 * Folds events into the session tree. Pure: the tree given stays as it was.
 *
 * `protocol::tree::SessionTree::apply` does the same for the stored events; this twin also keeps
 * what is only shown. A kind of event without a case here does not compile.
 */
import type { Event as SessionEvent, EventBody, SessionState, Step, StepId } from '$lib/bindings';
import { Draft } from './draft';
import { abandonTail, addBranch, annotate, intervene, standOn } from './reduce_tree';
import {
  addOutput,
  addText,
  dropOutput,
  editCall,
  endMessage,
  resetMessage,
  startCall,
  tick,
} from './reduce_live';
import { ownStepAt, stepIdAt } from './path';
import { plus } from './usage';
import type { Mark, MarkBody, SessionTree } from './tree';

/** How an event fits onto what is folded already. */
export type Fit = 'next' | 'past' | 'gap';

const SHOWN: ReadonlySet<EventBody['type']> = new Set([
  'text_delta',
  'thinking_delta',
  'deltas_reset',
  'output_delta',
  'progress',
]);

/** Tells by its number whether an event comes next. One that is only shown carries the number of
 * the stored one before it. */
export function fit(tree: SessionTree, event: SessionEvent): Fit {
  const expected = SHOWN.has(event.body.type) ? tree.lastSeq : tree.lastSeq + 1;
  if (event.seq === expected) return 'next';
  return event.seq < expected ? 'past' : 'gap';
}

export interface Folded {
  readonly tree: SessionTree;
  /** Events are missing before one of these; what came after is not in `tree`. */
  readonly gap: boolean;
}

/** Folds a batch in order. Events that are in already are left out; at a gap it stops. */
export function fold(tree: SessionTree, events: readonly SessionEvent[]): Folded {
  const draft = new Draft(tree);
  for (const event of events) {
    switch (fit(draft.tree, event)) {
      case 'next':
        apply(draft, event);
        break;
      case 'past':
        break;
      case 'gap':
        return { tree: draft.tree, gap: true };
    }
  }
  return { tree: draft.tree, gap: false };
}

/** Folds one event in. */
export function reduce(tree: SessionTree, event: SessionEvent): SessionTree {
  return fold(tree, [event]).tree;
}

/** Takes an event in where it happened; what it was looked at before, it is looked at again. */
function apply(draft: Draft, event: SessionEvent): void {
  const back = draft.tree.worktree;
  const worktree = event.worktree ?? 0;
  draft.enter(worktree);
  take(draft, event);
  if (event.body.type !== 'worktree_focused') draft.enter(back);
  if (event.body.type === 'worktree_closed') draft.closeWorktree(worktree);
}

function take(draft: Draft, event: SessionEvent): void {
  const { tree } = draft;
  const { body, at } = event;
  if (!SHOWN.has(body.type)) {
    tree.lastSeq = event.seq;
    tree.updatedAt = at;
  }
  switch (body.type) {
    case 'session_created':
      tree.meta = body.meta;
      tree.state = { state: 'paused', reason: { kind: 'not_started' } };
      return;
    case 'state_changed':
      tree.state = body.state;
      tree.clock = tick(tree.clock, body.state, at);
      if (endsSession(body.state)) endElsewhere(draft, body.state, at);
      draft.live({ progress: null, provider: null });
      return;
    case 'run_started':
      tree.backend = body.backend;
      resetMessage(draft);
      draft.live({ pending: null });
      return;
    case 'branch_created':
      addBranch(draft, body.branch, at);
      return;
    case 'tail_abandoned':
      abandonTail(draft, body.branch, body.after_step, body.abandoned, at);
      return;
    case 'cursor_moved':
      tree.cursor = body.to;
      draft.live({ pending: null });
      return;
    case 'worktree_opened':
      tree.cursor = body.at;
      tree.state = { state: 'paused', reason: { kind: 'requested' } };
      standOn(draft, body.checkpoint);
      return;
    case 'worktree_focused':
    case 'worktree_closed':
    case 'context_compacted':
      return;
    case 'message_completed': {
      const { message_id: id, blocks, usage } = body;
      draft.messages.set(id, { id, blocks, usage, modelMs: body.model_ms });
      tree.usage = plus(tree.usage, usage);
      endMessage(draft, id, blocks);
      return;
    }
    case 'step_started':
      startStep(draft, body.step);
      return;
    case 'step_finished':
      finishStep(draft, body, at);
      return;
    case 'checkpoint_recorded':
      recordCheckpoint(draft, body, event);
      return;
    case 'restore_started': {
      const { from, to, before, target } = body;
      tree.openRestore = { from, to, before, target };
      return;
    }
    case 'restore_finished':
      if (tree.openRestore) standOn(draft, tree.openRestore.target);
      tree.openRestore = null;
      if (body.left_alone.length > 0) {
        mark(draft, event, { kind: 'left_alone', paths: body.left_alone });
      }
      return;
    case 'intervened':
      mark(draft, event, {
        kind: 'intervention',
        by: body.by,
        intervention: body.intervention,
      });
      intervene(draft, body.by, body.intervention, at);
      if (body.intervention.kind === 'edit_call') {
        const { call_id: callId, before, after } = body.intervention;
        editCall(draft, callId, before, after);
      }
      return;
    case 'annotated': {
      const { value, by, annotator, revision } = body;
      annotate(draft, body.target, body.scheme, { value, by, annotator, at, revision });
      return;
    }
    case 'provider_failed': {
      const { error, attempt, retry_in_ms: wait } = body;
      draft.live({ provider: { error, attempt, retryAt: wait === null ? null : at + wait } });
      mark(draft, event, { kind: 'provider', error, attempt, retried: wait !== null });
      return;
    }
    case 'test_finished': {
      const { after_step: afterStep, command, outcome, result } = body;
      const record = { afterStep, command, outcome, result, at, seq: event.seq };
      draft.branch(body.branch)?.tests.push(record);
      return;
    }
    case 'notice':
      mark(draft, event, { kind: 'notice', code: body.code, text: body.text });
      return;
    case 'failed':
      mark(draft, event, { kind: 'failed', error: body.error });
      return;
    case 'text_delta':
      addText(draft, 'text', body.text, at);
      return;
    case 'thinking_delta':
      addText(draft, 'thinking', body.text, at);
      return;
    case 'deltas_reset':
      resetMessage(draft);
      draft.live({ pending: null });
      return;
    case 'output_delta':
      addOutput(draft, body.step, body.text);
      return;
    case 'progress':
      draft.live({ progress: { label: body.label, done: body.done, total: body.total } });
      return;
    default:
      // An event of a newer back end changes nothing; the compiler checks that none is forgotten.
      body satisfies never;
  }
}

function endsSession(state: SessionState): boolean {
  return state.state === 'parked' || state.state === 'finished';
}

/** What ends a session ends it in all worktrees. */
function endElsewhere(draft: Draft, state: SessionState, at: number): void {
  const ended = [...draft.tree.others].map(
    ([id, other]) => [id, { ...other, state, clock: tick(other.clock, state, at) }] as const,
  );
  draft.tree.others = new Map(ended);
}

/** Puts a mark where the session stands. */
function mark(draft: Draft, event: SessionEvent, body: MarkBody): void {
  const { cursor } = draft.tree;
  const after: StepId = cursor ? (stepIdAt(draft.tree, cursor) ?? '') : '';
  const one: Mark = { seq: event.seq, at: event.at, branch: cursor?.branch ?? 'main', body };
  draft.addMark(after, one);
}

function startStep(draft: Draft, step: Step): void {
  draft.tree.pendingRollback = null;
  draft.branch(step.branch)?.items.push({ kind: 'step', step: step.id, index: step.index });
  draft.tree.cursor = { branch: step.branch, step: step.index };
  draft.steps.set(step.id, step);
  startCall(draft, step);
}

function finishStep(
  draft: Draft,
  body: Extract<EventBody, { type: 'step_finished' }>,
  at: number,
): void {
  const step = draft.tree.steps.get(body.step);
  if (step) {
    draft.steps.set(step.id, {
      ...step,
      result: body.result,
      checkpoint: body.checkpoint,
      conversation_hash: body.conversation_hash,
      finished_at: at,
    });
    dropOutput(draft, step.id);
  }
  if (!body.checkpoint) return;
  draft.tree.lastCheckpoint = body.checkpoint;
  const branch = step && draft.branch(step.branch);
  if (branch) branch.tip = body.checkpoint;
}

function recordCheckpoint(
  draft: Draft,
  body: Extract<EventBody, { type: 'checkpoint_recorded' }>,
  event: SessionEvent,
): void {
  const { tree } = draft;
  const { cause, at: place, checkpoint } = body;
  if (cause === 'by_hand' || cause === 'asked') {
    const before = tree.lastCheckpoint?.id ?? null;
    mark(draft, event, { kind: 'checkpoint', cause, checkpoint, before });
  }
  if (cause === 'base') tree.base = checkpoint;
  tree.lastCheckpoint = checkpoint;
  draft.kept.set(checkpoint.id, checkpoint);
  if (cause === 'asked') {
    // Without automatic checkpoints, one made on request is the step's.
    const id = ownStepAt(tree, place);
    const step = id === null ? undefined : tree.steps.get(id);
    if (step && !step.checkpoint) draft.steps.set(step.id, { ...step, checkpoint });
  }
  if (cause !== 'before_restore') {
    const branch = draft.branch(place.branch);
    if (branch) branch.tip = checkpoint;
  }
}
