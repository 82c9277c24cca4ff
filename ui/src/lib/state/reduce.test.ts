import { describe, expect, it } from 'vitest';
import type { Event as SessionEvent } from '$lib/bindings';
import { checkpoint, change, Story } from '../../test/story';
import { branchOf, checkpointAt, pathStepIds, stepAt, tipStep } from './path';
import { fold, reduce } from './reduce';
import { OUTPUT_KEPT } from './reduce_live';
import { EMPTY_TREE, targetKey, type SessionTree } from './tree';

function folded(story: Story): SessionTree {
  const { tree, gap } = fold(EMPTY_TREE, story.events);
  expect(gap).toBe(false);
  return tree;
}

/** Makes writing to any object or array of it throw; maps are compared with a copy instead. */
function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  if (value instanceof Map) {
    for (const part of value.values()) freeze(part);
    return;
  }
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}

describe('a run', () => {
  it('puts steps on the branch and moves the cursor with them', () => {
    const story = new Story().begin().run();
    story.step();
    story.step({ kind: 'edit', tool: 'edit_file', changes: [change('src/parser.py')] });
    const tree = folded(story);
    expect(pathStepIds(tree, { branch: 'main', step: 1 })).toEqual(['s0', 's1']);
    expect(tree.cursor).toEqual({ branch: 'main', step: 1 });
    expect(tree.lastCheckpoint?.id).toBe(checkpoint('c1').id);
    expect(tree.usage).toEqual({
      input_tokens: 1800,
      output_tokens: 120,
      cached_tokens: 0,
      cache_write_tokens: 0,
      cost_micro_usd: null,
    });
  });

  it('gives the same tree event by event as in one batch', () => {
    const story = new Story().begin().run();
    story.step();
    story.step();
    story.rollback({ branch: 'main', step: 0 });
    story.abandon('main', 0, 'abandoned_1').run();
    story.step();
    const one = story.events.reduce<SessionTree>(reduce, EMPTY_TREE);
    expect(one).toEqual(folded(story));
  });

  it('leaves the tree before as it was, and shares what did not change', () => {
    const story = new Story().begin().run();
    story.step();
    const before = folded(story);
    freeze(before);
    const copy = structuredClone({ ...before, meta: null });
    const from = story.events.length;
    story.step();
    story.annotate({ target: 'step', step: 's0' }, 'step_quality', 'Good');
    const after = fold(before, story.events.slice(from)).tree;
    expect({ ...before, meta: null }).toEqual(copy);
    expect(after.steps.get('s0')).toBe(before.steps.get('s0'));
    expect(after.steps.size).toBe(2);
    expect(before.steps.size).toBe(1);
  });

  it('counts working time only while the agent works', () => {
    const story = new Story().begin().wait(60_000).run().wait(5_000);
    story
      .state({ state: 'paused', reason: { kind: 'requested' } })
      .wait(90_000)
      .run();
    const tree = folded(story);
    expect(tree.clock).toEqual({ spentMs: 5_000, since: story.at });
  });
});

describe('a rollback', () => {
  it('without an instruction leaves the tail behind as a branch with all that hangs on it', () => {
    const story = new Story().begin().run();
    story.step();
    story.step();
    story.step();
    story.test('failed');
    story.annotate({ target: 'step', step: 's2' }, 'step_quality', 'Incorrect');
    story.rollback({ branch: 'main', step: 0 });
    expect(folded(story).pendingRollback).toEqual({
      from: { branch: 'main', step: 2 },
      to: { branch: 'main', step: 0 },
    });
    story.abandon('main', 0, 'abandoned_1').run();
    const again = story.step();
    const tree = folded(story);
    expect(tree.pendingRollback).toBeNull();
    expect(pathStepIds(tree, { branch: 'main', step: 9 })).toEqual(['s0', again.id]);
    expect(pathStepIds(tree, { branch: 'abandoned_1', step: 9 })).toEqual(['s0', 's1', 's2']);
    expect(tree.steps.get('s2')?.branch).toBe('abandoned_1');
    expect(branchOf(tree, 'abandoned_1')?.tests).toHaveLength(1);
    expect(branchOf(tree, 'main')?.tests).toHaveLength(0);
    const rated = tree.answers.get(targetKey({ target: 'step', step: 's2' }));
    expect(rated?.get('step_quality')?.value).toBe('Incorrect');
    expect(stepAt(tree, { branch: 'main', step: 1 })?.id).toBe(again.id);
    expect(stepAt(tree, { branch: 'abandoned_1', step: 1 })?.id).toBe('s1');
  });

  it('above a fork leaves that branch whole; children of a tail go with it', () => {
    const story = new Story().begin().run();
    story.step();
    story.step();
    story.step();
    story.fork({ branch: 'main', step: 2 }, 'branch_1', 'Try again').run();
    story.step();
    story.rollback({ branch: 'main', step: 0 });
    const tree = folded(story);
    expect(tree.cursor).toEqual({ branch: 'main', step: 0 });
    expect(tipStep(tree, 'branch_1')).toBe(3);

    story.abandon('main', 0, 'abandoned_1');
    const after = folded(story);
    expect(branchOf(after, 'branch_1')?.parent).toBe('abandoned_1');
    expect(pathStepIds(after, { branch: 'branch_1', step: 3 })).toEqual(['s0', 's1', 's2', 's3']);
  });

  it('into the middle of a message keeps its first call', () => {
    const story = new Story().begin().run();
    const call = (n: number) =>
      ({
        kind: 'tool_call',
        call_id: `m0-c${n}`,
        name: 'read_file',
        input: { path: `${n}.py` },
        raw: null,
      }) as const;
    const message = story.message([
      { kind: 'text', text: 'Two files.', raw: null },
      call(0),
      call(1),
    ]);
    story.finish(story.start(message, 0, { target: '0.py' }));
    expect(folded(story).live.pending?.calls.map((one) => one.callId)).toEqual(['m0-c1']);
    story.finish(story.start(message, 1, { target: '1.py' }));
    expect(folded(story).live.pending).toBeNull();
    story.rollback({ branch: 'main', step: 0 });
    story.branch('branch_1', 'instructed', 'main', 0, 'Only the first').run();
    const other = story.step();
    const tree = folded(story);
    expect(pathStepIds(tree, { branch: 'branch_1', step: 1 })).toEqual(['s0', other.id]);
    expect(tree.steps.get('s0')?.message_id).toBe(tree.steps.get('s1')?.message_id);
  });

  it('can be undone, and what comes next stands on the files it went back to', () => {
    const story = new Story().begin().run();
    story.step({ changes: [change('a')] });
    story.step({ changes: [change('a')] });
    story.rollback({ branch: 'main', step: 0 });
    expect(folded(story).undo).toEqual([
      { from: { branch: 'main', step: 1 }, step: 's1', before: checkpoint('c1').id },
    ]);
    expect(folded(story).lastCheckpoint?.id).toBe(checkpoint('base').id);
    const to = { branch: 'main', step: 1 };
    story.intervene({ kind: 'undo_rollback', from: { branch: 'main', step: 0 }, to });
    story.move({ branch: 'main', step: 0 }, to, 'c1');
    const tree = folded(story);
    expect(tree.undo).toEqual([]);
    expect(tree.pendingRollback).toBeNull();
    expect(tree.cursor).toEqual(to);
    expect(tree.lastCheckpoint?.id).toBe(checkpoint('c1').id);
  });

  it('to a step without a checkpoint of its own goes to the one before', () => {
    const story = new Story().begin().run();
    story.step();
    const tree = folded(story);
    expect(checkpointAt(tree, { branch: 'main', step: -1 })?.id).toBe(checkpoint('base').id);
    expect(checkpointAt(tree, { branch: 'main', step: 0 })?.id).toBe(checkpoint('c0').id);
  });
});

describe('what is only shown', () => {
  it('grows until the whole message comes', () => {
    const story = new Story().begin().run();
    story.show({ type: 'thinking_delta', text: 'Hm' });
    story.show({ type: 'text_delta', text: 'I will ' });
    story.show({ type: 'text_delta', text: 'look.' });
    expect(folded(story).live).toMatchObject({ thinking: 'Hm', text: 'I will look.' });
    story.message([{ kind: 'text', text: 'I will look.', raw: null }]);
    expect(folded(story).live).toMatchObject({ thinking: '', text: '' });
  });

  it('is void after a reset', () => {
    const story = new Story().begin().run();
    story.show({ type: 'text_delta', text: 'I wi' });
    story.show({ type: 'deltas_reset' });
    story.show({ type: 'text_delta', text: 'Again' });
    expect(folded(story).live.text).toBe('Again');
  });

  it('keeps the end of an endless output', () => {
    const story = new Story().begin().run();
    const message = story.message([]);
    const step = story.start(message, 0, { kind: 'terminal', tool: 'bash' });
    const line = `${'x'.repeat(999)}\n`;
    for (let i = 0; i < 1200; i += 1) {
      story.show({ type: 'output_delta', step: step.id, stream: 'stdout', text: line });
    }
    story.show({ type: 'output_delta', step: step.id, stream: 'stdout', text: 'last' });
    const output = folded(story).live.outputs.get(step.id);
    expect(output?.cut).toBe(true);
    expect(output?.text.endsWith('last')).toBe(true);
    expect(output?.text.length).toBeLessThanOrEqual(2 * OUTPUT_KEPT);
    expect(output?.text.startsWith('x')).toBe(true);
    story.finish(step);
    expect(folded(story).live.outputs.has(step.id)).toBe(false);
  });

  it('says until when a failed model server is left alone', () => {
    const story = new Story().begin().run();
    const error = {
      code: 'backend_busy',
      message: 'The server is busy.',
      hint: '',
      details: [],
      retryable: true,
    } as const;
    story.add({
      type: 'provider_failed',
      error: { ...error, details: [] },
      attempt: 1,
      retry_in_ms: 2000,
    });
    expect(folded(story).live.provider).toMatchObject({ attempt: 1, retryAt: story.at + 2000 });
    story.show({ type: 'text_delta', text: 'back' });
    expect(folded(story).live.provider).toBeNull();
  });
});

describe('marks between steps', () => {
  it('stay with the step the session stood after, also when that moves', () => {
    const story = new Story().begin().run();
    story.step();
    story.step();
    story.intervene({ kind: 'pause' });
    story.rollback({ branch: 'main', step: 0 });
    story.abandon('main', 0, 'abandoned_1');
    story.intervene({ kind: 'resume' });
    const kinds = (step: string) =>
      folded(story)
        .marks.get(step)
        ?.map(({ body }) => body.kind === 'intervention' && body.intervention.kind);
    expect(kinds('s1')).toEqual(['pause', 'rollback']);
    expect(kinds('s0')).toEqual(['resume']);
  });

  it('tell which checkpoint a hand edit was made on', () => {
    const story = new Story().begin().run();
    story.step({ changes: [change('a')] });
    story.kept('by_hand', 'hand', [change('notes.txt')]);
    const mark = folded(story).marks.get('s0')?.[0];
    expect(mark?.body).toMatchObject({ kind: 'checkpoint', before: checkpoint('c0').id });
  });
});

describe('answers', () => {
  it('can be changed and taken back; a comparison lives while it has one', () => {
    const story = new Story().begin();
    const target = { target: 'comparison', a: 'x', b: 'y' } as const;
    story.annotate(target, 'branch_preference', 'Branch A');
    story.annotate({ ...target, a: 'y', b: 'x' }, 'branch_preference', 'Branch B');
    story.annotate(target, 'branch_preference', 'Branch B', 2);
    expect(folded(story).comparisons).toEqual([
      ['y', 'x'],
      ['x', 'y'],
    ]);
    story.annotate(target, 'branch_preference', null, 3);
    const tree = folded(story);
    expect(tree.comparisons).toEqual([['y', 'x']]);
    expect(tree.answers.get(targetKey(target))?.size).toBe(0);
  });
});

describe('numbers', () => {
  const without = (story: Story, at: number): SessionEvent[] => story.events.toSpliced(at, 1);

  it('show a gap, and nothing after it is taken in', () => {
    const story = new Story().begin().run();
    story.step();
    const { tree, gap } = fold(EMPTY_TREE, without(story, 4));
    expect(gap).toBe(true);
    expect(tree.lastSeq).toBe(4);
    expect(tree.steps.size).toBe(0);
  });

  it('show a gap before something that is only shown', () => {
    const story = new Story().begin().run();
    story.show({ type: 'text_delta', text: 'lost' });
    expect(fold(EMPTY_TREE, without(story, story.events.length - 2)).gap).toBe(true);
  });

  it('leave out what is in already', () => {
    const story = new Story().begin().run();
    story.step();
    const tree = folded(story);
    const again = fold(tree, story.events);
    expect(again.gap).toBe(false);
    expect(again.tree).toEqual(tree);
  });
});
