import { beforeEach, describe, expect, it } from 'vitest';
import type { AppError, Event as SessionEvent, Op } from '$lib/bindings';
import { BackendError, type Backend } from '$lib/transport/backend';
import { Story } from '../../test/story';
import { SessionModel } from './session.svelte';
import { toasts } from './toasts.svelte';

const REFUSAL: AppError = {
  code: 'not_now',
  message: 'There is nothing to pause.',
  hint: 'Wait until the agent works.',
  details: [],
  retryable: false,
};

/** A back end whose streams are fed by hand. */
class Hand {
  readonly streams: ((events: readonly SessionEvent[]) => void)[] = [];
  readonly ops: Op[] = [];
  refuses = false;
  closed = 0;

  backend(): Backend {
    const refuse = (): never => {
      throw new Error('not asked for here');
    };
    return {
      ...(Object.fromEntries(
        ['appInfo', 'watchApp', 'openProject'].map((name) => [name, refuse]),
      ) as unknown as Backend),
      subscribe: (_session, listener) => {
        this.streams.push(listener);
        return Promise.resolve({
          close: () => {
            this.closed += 1;
            return Promise.resolve();
          },
        });
      },
      sendOp: (_session, op) => {
        this.ops.push(op);
        return this.refuses ? Promise.reject(new BackendError(REFUSAL)) : Promise.resolve();
      },
    };
  }
}

async function opened(hand: Hand): Promise<SessionModel> {
  const session = new SessionModel('k3v9x0q2ab', hand.backend());
  await session.connect();
  return session;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('the stream of events', () => {
  it('is asked for anew at a gap; what is on screen stays until the new one has caught up', async () => {
    const hand = new Hand();
    const session = await opened(hand);
    const story = new Story().begin().run();
    story.step();
    const seen = story.events.length;
    hand.streams[0]?.(story.events);
    story.step();
    story.step();
    hand.streams[0]?.(story.events.slice(seen + 1));
    await settled();
    expect(hand.streams).toHaveLength(2);
    expect(session.tree.steps.size).toBe(1);
    hand.streams[1]?.(story.events.slice(0, 4));
    expect(session.tree.steps.size).toBe(1);
    hand.streams[1]?.(story.events.slice(4));
    expect(session.tree.steps.size).toBe(3);
    expect(session.problem).toBeNull();
  });

  it('takes in nothing of an earlier subscription', async () => {
    const hand = new Hand();
    const session = await opened(hand);
    const story = new Story().begin().run();
    await session.connect();
    hand.streams[0]?.(story.events);
    expect(session.tree.lastSeq).toBe(0);
    hand.streams[1]?.(story.events);
    expect(session.tree.lastSeq).toBe(story.seq);
  });

  it('says so when asking again does not mend the gap', async () => {
    const hand = new Hand();
    const session = await opened(hand);
    const story = new Story().begin().run();
    const holed = story.events.toSpliced(2, 1);
    hand.streams[0]?.(holed);
    await settled();
    hand.streams[1]?.(holed);
    await settled();
    expect(hand.streams).toHaveLength(2);
    expect(session.problem?.message).toMatch(/missing/);
  });

  it('ends when the session is left', async () => {
    const hand = new Hand();
    const session = await opened(hand);
    await session.close();
    hand.streams[0]?.(new Story().begin().events);
    expect(hand.closed).toBe(1);
    expect(session.tree.lastSeq).toBe(0);
  });
});

describe('operations', () => {
  beforeEach(() => {
    for (const toast of toasts.list) toasts.dismiss(toast.id);
  });

  it('change nothing on screen by themselves', async () => {
    const hand = new Hand();
    const session = await opened(hand);
    const story = new Story().begin().run();
    hand.streams[0]?.(story.events);
    const before = session.tree;
    expect(await session.op({ op: 'pause' })).toBe(true);
    expect(session.tree).toBe(before);
  });

  it('that are refused say why', async () => {
    const hand = new Hand();
    hand.refuses = true;
    const session = await opened(hand);
    expect(await session.op({ op: 'pause' })).toBe(false);
    expect(toasts.list.map(({ title, text, tone }) => [title, text, tone])).toEqual([
      [REFUSAL.message, REFUSAL.hint, 'warning'],
    ]);
  });

  it('are asked for one at a time, answers apart', async () => {
    const hand = new Hand();
    const session = await opened(hand);
    const rated = { target: 'step', step: 's0' } as const;
    await Promise.all([
      session.op({ op: 'pause' }),
      session.op({ op: 'stop' }),
      session.annotate(rated, 'step_quality', 'Good'),
    ]);
    expect(hand.ops.map((op) => op.op)).toEqual(['pause', 'annotate']);
    expect(session.savingOf(rated, 'step_quality')).toBe('saved');
  });
});
