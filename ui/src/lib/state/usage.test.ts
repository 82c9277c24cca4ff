import { describe, expect, it } from 'vitest';
import type { Usage } from '$lib/bindings';
import { Story } from '../../test/story';
import { money } from '$lib/words/format';
import { reduce } from './reduce';
import { EMPTY_TREE, type SessionTree } from './tree';
import { contextAt } from './usage';

function usage(used: number, cost: number | null): Usage {
  return {
    input_tokens: used,
    output_tokens: 0,
    cached_tokens: 0,
    cost_micro_usd: cost,
    context: { used_tokens: used, window_tokens: 1000 },
  };
}

function folded(story: Story): SessionTree {
  return story.events.reduce<SessionTree>(reduce, EMPTY_TREE);
}

describe('what a session costs', () => {
  it('is the sum of what is known', () => {
    const story = new Story().begin().run();
    story.step({ usage: usage(100, 1500) });
    story.step({ usage: usage(200, null) });
    story.step({ usage: usage(300, 400) });
    expect(folded(story).usage.cost_micro_usd).toBe(1900);
  });

  it('is written as money, small amounts to the hundredth of a cent', () => {
    expect(money(1900)).toBe('$0.0019');
    expect(money(310_000)).toBe('$0.31');
    expect(money(12_600_000)).toBe('$12.60');
  });
});

describe('how full the window is', () => {
  it('follows the cursor back', () => {
    const story = new Story().begin().run();
    expect(contextAt(folded(story), { branch: 'main', step: -1 })).toBeNull();
    story.step({ usage: usage(100, null) });
    story.step({ usage: usage(200, null) });
    const tree = folded(story);
    expect(contextAt(tree, { branch: 'main', step: 1 })?.used_tokens).toBe(200);
    expect(contextAt(tree, { branch: 'main', step: 0 })?.used_tokens).toBe(100);
  });
});
