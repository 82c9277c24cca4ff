import { expect, it } from 'vitest';
import { SCHEMES, Story } from '../../test/story';
import { fold } from './reduce';
import { missingAnswers } from './required';
import { EMPTY_TREE } from './tree';

const schemes = SCHEMES.map((scheme) => ({ ...scheme, required: true }));

function missing(story: Story): string[] {
  const { tree } = fold(EMPTY_TREE, story.events);
  return missingAnswers(tree, schemes).map(
    ({ scheme, targets }) => `${scheme.name} ${targets.length}`,
  );
}

it('tells what is still to be answered, tails left out', () => {
  const story = new Story().begin().run();
  story.step();
  story.step();
  story.rollback({ branch: 'main', step: 0 });
  story.abandon('main', 0, 'abandoned_1');
  expect(missing(story)).toEqual(['step_quality 1', 'task_completion 1', 'observation_notes 1']);
  story.annotate({ target: 'step', step: 's0' }, 'step_quality', 'Good');
  story.annotate({ target: 'session' }, 'observation_notes', 'Fine');
  expect(missing(story)).toEqual(['task_completion 1']);
});

it('asks for a comparison once there are two branches', () => {
  const story = new Story().begin().run();
  story.step();
  story.fork({ branch: 'main', step: 0 }, 'branch_1', 'Try');
  expect(missing(story)).toContain('branch_preference 1');
  story.annotate(
    { target: 'comparison', a: 'branch_1', b: 'main' },
    'branch_preference',
    'Branch A',
  );
  expect(missing(story)).not.toContain('branch_preference 1');
});
