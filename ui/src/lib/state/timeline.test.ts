import { describe, expect, it } from 'vitest';
import { change, Story } from '../../test/story';
import { fold } from './reduce';
import { timelineRows, type Row, type TimelineView } from './timeline';
import { EMPTY_TREE } from './tree';

function rows(story: Story, view: Partial<TimelineView> = {}): Row[] {
  const { tree } = fold(EMPTY_TREE, story.events);
  return timelineRows(tree, { branch: 'main', unfolded: new Set(), live: false, ...view });
}

/** Rows in a few words. */
function told(all: Row[]): string[] {
  return all.map((row) => {
    switch (row.kind) {
      case 'step':
        return row.tone === 'path' ? row.step : `${row.step} ${row.tone}`;
      case 'instruction':
        return `"${row.item.text}"`;
      case 'mark':
        return row.mark.body.kind === 'intervention'
          ? row.mark.body.intervention.kind
          : row.mark.body.kind;
      case 'fork':
        return `fork: ${row.ways.map((way) => `${way.branch}+${way.steps}`).join(' ')}`;
      default:
        return row.kind;
    }
  });
}

describe('the timeline', () => {
  it('shows the path with what happened between its steps', () => {
    const story = new Story().begin().run();
    story.step();
    story.intervene({ kind: 'pause' });
    story.intervene({ kind: 'instruct', text: 'Look again', inject_as: 'user_message' });
    story.kept('by_hand', 'hand', [change('notes.txt')]);
    story.intervene({ kind: 'resume' });
    story.step();
    story.step({ kind: 'message' });
    story.test('passed');
    expect(told(rows(story, { live: true }))).toEqual([
      'start',
      's0',
      'pause',
      '"Look again"',
      'checkpoint',
      'resume',
      's1',
      's2',
      'test',
      'live',
    ]);
  });

  it('shows what a rollback undid behind the place it went to', () => {
    const story = new Story().begin().run();
    story.step();
    story.step();
    story.step();
    story.rollback({ branch: 'main', step: 0 });
    expect(told(rows(story))).toEqual([
      'start',
      's0',
      'here',
      's1 undone',
      's2 undone',
      'rollback',
    ]);
  });

  it('folds an abandoned tail into the place where it leaves', () => {
    const story = new Story().begin().run();
    story.step();
    story.step();
    story.rollback({ branch: 'main', step: 0 });
    story.abandon('main', 0, 'abandoned_1').run();
    story.step();
    expect(told(rows(story))).toEqual(['start', 's0', 'fork: abandoned_1+1', 's2']);
    expect(told(rows(story, { unfolded: new Set(['abandoned_1']) }))).toEqual([
      'start',
      's0',
      'fork: abandoned_1+1',
      's1 abandoned',
      'rollback',
      's2',
    ]);
  });

  it('shows a branch from the start of the session, and where the others went', () => {
    const story = new Story().begin().run();
    story.step();
    story.step();
    story.step();
    story.fork({ branch: 'main', step: 1 }, 'branch_1', 'Try').run();
    story.step();
    story.fork({ branch: 'main', step: 1 }, 'branch_2', 'Read').run();
    story.step();
    expect(told(rows(story, { branch: 'branch_2' }))).toEqual([
      'start',
      's0',
      's1',
      'fork: main+1 branch_1+1',
      '"Read"',
      's4',
    ]);
    expect(told(rows(story)).filter((row) => row.startsWith('fork'))).toEqual([
      'fork: branch_1+1 branch_2+1',
    ]);
  });

  it('keeps the marks of one branch off the path of its sister', () => {
    const story = new Story().begin().run();
    story.step();
    story.fork({ branch: 'main', step: 0 }, 'branch_1', 'Try');
    story.intervene({ kind: 'pause' });
    story.intervene({ kind: 'resume' });
    story.run();
    story.step();
    expect(told(rows(story, { branch: 'branch_1' }))).toContain('pause');
    expect(told(rows(story))).not.toContain('pause');
  });

  it('keeps what happened after a fork behind the instruction that made it', () => {
    const story = new Story().begin().run();
    story.step();
    story.step();
    story.rollback({ branch: 'main', step: 0 });
    story.branch('branch_1', 'instructed', 'main', 0, 'Try');
    story.intervene({ kind: 'resume' });
    expect(told(rows(story, { branch: 'branch_1' }))).toEqual([
      'start',
      's0',
      'fork: main+1',
      '"Try"',
      'resume',
    ]);
  });

  it('shows a rollback to before the first step', () => {
    const story = new Story().begin().run();
    story.step();
    story.rollback({ branch: 'main', step: -1 });
    expect(told(rows(story))).toEqual(['start', 'here', 's0 undone', 'rollback']);
    story.branch('branch_1', 'instructed', 'main', -1, 'From scratch').run();
    story.step();
    expect(told(rows(story, { branch: 'branch_1' }))).toEqual([
      'start',
      'fork: main+1',
      '"From scratch"',
      's1',
    ]);
  });

  it('tells tests, instructions and marks after a step in the order they came', () => {
    const story = new Story().begin().run();
    story.step({ kind: 'message' });
    story.test('passed');
    story.intervene({ kind: 'instruct', text: 'Go on', inject_as: 'user_message' });
    story.intervene({ kind: 'resume' });
    story.rollback({ branch: 'main', step: 0 });
    expect(told(rows(story))).toEqual(['start', 's0', 'test', '"Go on"', 'resume', 'rollback']);
  });

  it('has a row for each of five thousand steps', () => {
    const story = new Story().begin().run();
    for (let i = 0; i < 5000; i += 1) story.step();
    expect(rows(story)).toHaveLength(5001);
  });
});
