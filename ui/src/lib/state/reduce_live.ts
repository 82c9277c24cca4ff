/** The parts of the fold for what is only shown: unfinished messages, output, the clock. */
import type { Block, MessageId, Millis, SessionState, Step, StepId } from '$lib/bindings';
import type { Draft } from './draft';
import { isActive, type Clock, type ProposedCall } from './tree';

/** Characters of a running command's output that are kept; beyond twice that the front is let go. */
export const OUTPUT_KEPT = 256 * 1024;
export function addText(draft: Draft, part: 'text' | 'thinking', text: string, at: Millis): void {
  const { live } = draft.tree;
  draft.live({ [part]: live[part] + text, since: live.since ?? at, provider: null });
}

/** What was shown of the unfinished message is void. */
export function resetMessage(draft: Draft): void {
  draft.live({ text: '', thinking: '', since: null });
}

/** The whole message is there; its calls wait for their turn. */
export function endMessage(draft: Draft, message: MessageId, blocks: readonly Block[]): void {
  const calls: ProposedCall[] = [];
  for (const block of blocks) {
    if (block.kind === 'tool_call') {
      calls.push({ callId: block.call_id, name: block.name, input: block.input });
    }
  }
  resetMessage(draft);
  draft.live({ pending: { message, calls }, provider: null });
}

/** A call that waits runs with other arguments, or with the model's own again. */
export function editCall(draft: Draft, callId: string, before: unknown, after: unknown): void {
  const { pending } = draft.tree.live;
  if (!pending) return;
  const same = JSON.stringify(before) === JSON.stringify(after);
  const calls = pending.calls.map((call): ProposedCall => {
    if (call.callId !== callId) return call;
    const { name } = call;
    return same ? { callId, name, input: after } : { callId, name, input: after, before };
  });
  draft.live({ pending: { ...pending, calls } });
}

/** A call of the message became a step. */
export function startCall(draft: Draft, step: Step): void {
  const { pending } = draft.tree.live;
  if (pending?.message !== step.message_id) return;
  const calls = pending.calls.filter((call) => call.callId !== step.call_id);
  draft.live({ pending: calls.length > 0 ? { ...pending, calls } : null });
}

export function addOutput(draft: Draft, step: StepId, text: string): void {
  const before = draft.tree.live.outputs.get(step);
  let whole = (before?.text ?? '') + text;
  let cut = before?.cut ?? false;
  if (whole.length > 2 * OUTPUT_KEPT) {
    const from = whole.length - OUTPUT_KEPT;
    const line = whole.indexOf('\n', from);
    whole = whole.slice(line < 0 ? from : line + 1);
    cut = true;
  }
  draft.outputs.set(step, { text: whole, cut });
}

/** The result of a finished step has what its preview had. */
export function dropOutput(draft: Draft, step: StepId): void {
  if (draft.tree.live.outputs.has(step)) draft.outputs.delete(step);
}

export function tick(clock: Clock, state: SessionState, at: Millis): Clock {
  const active = isActive(state) && state.state !== 'preparing';
  if (active && clock.since === null) return { ...clock, since: at };
  if (!active && clock.since !== null) {
    return { spentMs: clock.spentMs + Math.max(0, at - clock.since), since: null };
  }
  return clock;
}
