import { expect, it } from 'vitest';
import { fold } from '$lib/state/reduce';
import { EMPTY_TREE } from '$lib/state/tree';
import { sessionMeta, Story } from '../../test/story';
import { controls, type Controls } from './controls';

function now(story: Story): Controls {
  return controls(fold(EMPTY_TREE, story.events).tree);
}

/** The names of the controls that can be used. */
function usable(story: Story): string[] {
  const all = now(story);
  return Object.entries(all)
    .filter(([, reason]) => reason === null)
    .map(([name]) => name);
}

it('before the start only starting, instructing, testing and finishing make sense', () => {
  const story = new Story().begin();
  expect(now(story).main).toBe('start');
  expect(usable(story)).toEqual(['mainReason', 'instruct', 'tests', 'finish']);
});

it('while the agent works it can be paused, stopped, rolled back and branched, not instructed', () => {
  const story = new Story().begin().run();
  story.step();
  expect(now(story).main).toBe('pause');
  expect(usable(story)).toEqual(['mainReason', 'stop', 'rollback', 'branch', 'finish']);
  expect(now(story).instruct).toMatch(/pause/i);
});

it('an ended run goes on only with an instruction', () => {
  const story = new Story().begin().run();
  story.step({ kind: 'message' });
  story.state({ state: 'ended', reason: 'completed' });
  expect(now(story).mainReason).not.toBeNull();
  story.intervene({ kind: 'instruct', text: 'And now the docs', inject_as: 'user_message' });
  expect(now(story).mainReason).toBeNull();
});

it('nothing can be done while files are moved, or after the end', () => {
  const story = new Story().begin().run();
  story.step();
  story.state({ state: 'restoring' });
  expect(usable(story)).toEqual([]);
  story.state({ state: 'finished', kept: false });
  expect(usable(story)).toEqual([]);
});

it('what the configuration switches off says so', () => {
  const { settings } = sessionMeta();
  const off = { ...settings.controls, pause: false, rollback: false, branch: false };
  const story = new Story({ settings: { ...settings, controls: off } }).begin().run();
  story.step();
  const { mainReason, rollback, branch } = now(story);
  expect(new Set([mainReason, rollback, branch]).size).toBe(1);
  expect(rollback).toMatch(/configuration/);
});
