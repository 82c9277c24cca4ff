import { describe, expect, it } from 'vitest';
import type { Event as SessionEvent, EventBody, NewBranch } from '$lib/bindings';
import { Story } from '../../test/story';
import { fold } from './reduce';
import { EMPTY_TREE, statesByBranch, type SessionTree } from './tree';

const BRANCH: NewBranch = {
  id: 'branch_1',
  kind: 'instructed',
  parent: 'main',
  branch_point: 0,
  instruction: 'Try otherwise',
  git_branch: 'potato-session-s-branch_1',
};

/** A session whose main branch has made two steps, and a branch in a worktree of its own. */
class TwoWorktrees {
  readonly events: SessionEvent[];
  #seq: number;

  constructor() {
    const story = new Story().begin().run();
    story.step();
    story.step();
    this.events = [...story.events];
    this.#seq = this.tree.lastSeq;
    const checkpoint = this.tree.steps.get('s0')?.checkpoint?.id ?? '';
    this.stored(1, { type: 'worktree_opened', at: { branch: 'main', step: 0 }, checkpoint });
    this.stored(1, { type: 'branch_created', branch: BRANCH });
    this.stored(1, { type: 'state_changed', state: { state: 'running' } });
  }

  get tree(): SessionTree {
    return fold(EMPTY_TREE, this.events).tree;
  }

  stored(worktree: number, body: EventBody): void {
    this.#seq += 1;
    this.shown(worktree, body);
  }

  shown(worktree: number, body: EventBody): void {
    this.events.push({ session: 's', seq: this.#seq, at: this.#seq, worktree, body });
  }
}

describe('worktrees', () => {
  it('keep where each branch stands and what it does apart', () => {
    const both = new TwoWorktrees();
    expect(both.tree.cursor).toEqual({ branch: 'main', step: 1 });
    both.stored(1, { type: 'worktree_focused' });
    both.stored(0, {
      type: 'state_changed',
      state: { state: 'ended', reason: 'completed' },
    });
    const { tree } = both;
    expect(tree.cursor).toEqual({ branch: 'branch_1', step: 0 });
    expect(tree.lastCheckpoint?.id).toBe(tree.steps.get('s0')?.checkpoint?.id);
    expect(tree.undo).toEqual([]);
    expect([...statesByBranch(tree)].map(([branch, state]) => [branch, state?.state])).toEqual([
      ['main', 'ended'],
      ['branch_1', 'running'],
    ]);
  });

  it('show what is being written where it is written', () => {
    const both = new TwoWorktrees();
    both.stored(1, { type: 'worktree_focused' });
    both.shown(0, { type: 'text_delta', text: 'main ' });
    both.shown(1, { type: 'text_delta', text: 'branch ' });
    both.shown(0, { type: 'text_delta', text: 'speaks' });
    both.shown(0, { type: 'output_delta', step: 's1', stream: 'stdout', text: 'out' });
    both.shown(1, { type: 'text_delta', text: 'speaks' });
    const { tree } = both;
    expect(tree.live.text).toBe('branch speaks');
    expect(tree.live.outputs.size).toBe(0);
    expect(tree.others.get(0)?.live.text).toBe('main speaks');
    expect(tree.others.get(0)?.live.outputs.get('s1')?.text).toBe('out');
  });

  it('end with the session, and one by one', () => {
    const both = new TwoWorktrees();
    both.stored(1, { type: 'worktree_closed' });
    expect([...both.tree.others.keys()]).toEqual([]);
    const parked = new TwoWorktrees();
    parked.stored(0, { type: 'state_changed', state: { state: 'parked' } });
    expect(parked.tree.others.get(1)?.state?.state).toBe('parked');
  });

  it('follow a tail that is left behind', () => {
    const both = new TwoWorktrees();
    both.stored(1, { type: 'worktree_focused' });
    both.stored(1, {
      type: 'tail_abandoned',
      branch: 'main',
      after_step: 0,
      abandoned: { ...BRANCH, id: 'abandoned_1', kind: 'abandoned', instruction: null },
    });
    expect(both.tree.others.get(0)?.cursor).toEqual({ branch: 'abandoned_1', step: 1 });
  });
});
