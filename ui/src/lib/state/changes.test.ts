import { expect, it } from 'vitest';
import type { FileChange } from '$lib/bindings';
import { Story } from '../../test/story';
import { changesSinceStart } from './changes';
import { fold } from './reduce';
import { EMPTY_TREE } from './tree';

const version = (blob: string) => ({ blob, mode: 0o100644 });

function changed(path: string, old: string | null, next: string | null): FileChange {
  return {
    path,
    kind: old === null ? 'added' : next === null ? 'deleted' : 'modified',
    old: old === null ? null : version(old),
    new: next === null ? null : version(next),
    added_lines: 1,
    removed_lines: 1,
  };
}

it('tells what differs from the start, over steps and hand edits', () => {
  const story = new Story().begin().run();
  story.step({
    changes: [changed('new.py', null, '1'), changed('a.py', '1', '2'), changed('b.py', '1', '2')],
  });
  story.kept('by_hand', 'hand', [changed('notes.txt', '1', null)]);
  story.step({ changes: [changed('new.py', '1', '2'), changed('b.py', '2', '1')] });
  const { tree } = fold(EMPTY_TREE, story.events);
  expect([...changesSinceStart(tree, { branch: 'main', step: 1 })]).toEqual([
    ['new.py', 'added'],
    ['a.py', 'modified'],
    ['notes.txt', 'deleted'],
  ]);
  expect(changesSinceStart(tree, { branch: 'main', step: -1 }).size).toBe(0);
});
