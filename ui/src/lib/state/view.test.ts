import { describe, expect, it } from 'vitest';
import type { Backend } from '$lib/transport/backend';
import { Story } from '../../test/story';
import { fold } from './reduce';
import { SessionModel } from './session.svelte';
import { EMPTY_TREE } from './tree';
import { SessionView } from './view.svelte';

function viewOf(story: Story): SessionView {
  const session = new SessionModel(story.meta.id, {} as Backend);
  session.tree = fold(EMPTY_TREE, story.events).tree;
  return new SessionView(session, null);
}

function threeSteps(): Story {
  const story = new Story().begin().run();
  story.step();
  story.step();
  story.step();
  return story;
}

describe('without a place named', () => {
  it('a rollback goes one step back, and a branch leaves there', () => {
    const view = viewOf(threeSteps());
    expect(view.rollbackPlace()).toEqual({ branch: 'main', step: 1 });
    expect(view.branchPlace()).toEqual({ branch: 'main', step: 1 });
  });

  it('both go to the step in focus', () => {
    const view = viewOf(threeSteps());
    view.focus('s0');
    expect(view.rollbackPlace()).toEqual({ branch: 'main', step: 0 });
    expect(view.branchPlace()).toEqual({ branch: 'main', step: 0 });
  });

  it('after a rollback a branch leaves where it went', () => {
    const story = threeSteps();
    story.rollback({ branch: 'main', step: 0 });
    expect(viewOf(story).branchPlace()).toEqual({ branch: 'main', step: 0 });
  });
});

describe('the focus', () => {
  it('moves along the steps on the timeline and stops at its ends', () => {
    const view = viewOf(threeSteps());
    const visited = [1, 1, 1, 1, -1].map((by) => {
      view.moveFocus(by);
      return view.focusedStep;
    });
    expect(visited).toEqual(['s0', 's1', 's2', 's2', 's1']);
  });

  it('begins at the end when it is moved up first', () => {
    const view = viewOf(threeSteps());
    view.moveFocus(-1);
    expect(view.focusedStep).toBe('s2');
  });
});

describe('the branch that is looked at', () => {
  it('is the session’s own until another is chosen', () => {
    const story = threeSteps();
    story.fork({ branch: 'main', step: 0 }, 'branch_1', 'Try').run();
    story.step();
    const view = viewOf(story);
    expect(view.branch).toBe('branch_1');
    view.look('main');
    expect(view.followsSession).toBe(false);
    expect(view.steps).toEqual(['s0', 's1', 's2']);
    view.look('branch_1');
    expect(view.followsSession).toBe(true);
  });

  it('changes when a step elsewhere is to be shown', () => {
    const story = threeSteps();
    story.fork({ branch: 'main', step: 0 }, 'branch_1', 'Try').run();
    story.step();
    const view = viewOf(story);
    view.reveal('s2');
    expect([view.branch, view.focusedStep]).toEqual(['main', 's2']);
  });
});
