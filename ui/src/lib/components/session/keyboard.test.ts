import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Op } from '$lib/bindings';
import { fold } from '$lib/state/reduce';
import { SessionModel } from '$lib/state/session.svelte';
import { EMPTY_TREE } from '$lib/state/tree';
import { SessionView } from '$lib/state/view.svelte';
import type { Backend } from '$lib/transport/backend';
import { sessionMeta, Story } from '../../../test/story';
import { sessionActions } from './actions';
import { SessionKeyboard } from './keyboard';

interface Desk {
  ops: Op[];
  view: SessionView;
  press: (key: string, held?: KeyboardEventInit, on?: Element) => KeyboardEvent;
  tab: () => void;
}

function desk(story: Story): Desk {
  const ops: Op[] = [];
  const backend = {
    sendOp: (_session: string, op: Op) => {
      ops.push(op);
      return Promise.resolve();
    },
  } as unknown as Backend;
  const session = new SessionModel(story.meta.id, backend);
  session.tree = fold(EMPTY_TREE, story.events).tree;
  const view = new SessionView(session, null);
  const keyboard = new SessionKeyboard(view, sessionActions(view));
  const press: Desk['press'] = (key, held = {}, on = document.body) => {
    const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...held });
    const listener = (heard: Event) => {
      keyboard.pressed(heard as KeyboardEvent);
    };
    window.addEventListener('keydown', listener);
    on.dispatchEvent(event);
    window.removeEventListener('keydown', listener);
    return event;
  };
  return { ops, view, press, tab: () => press('Tab') };
}

function running(): Story {
  const story = new Story().begin().run();
  story.step();
  story.step();
  return story;
}

function paused(): Story {
  return running().state({ state: 'paused', reason: { kind: 'requested' } });
}

beforeEach(() => {
  document.body.innerHTML = '<textarea></textarea><input type="number"><button>Theme</button>';
});

describe('steering', () => {
  it('Space pauses and resumes', () => {
    const work = desk(running());
    expect(work.press(' ').defaultPrevented).toBe(true);
    const rest = desk(paused());
    rest.press(' ');
    expect([...work.ops, ...rest.ops]).toEqual([{ op: 'pause' }, { op: 'resume' }]);
  });

  it('follows the shortcuts of the configuration', () => {
    const { settings } = sessionMeta();
    const controls = { ...settings.controls, pause_shortcut: 'Ctrl+P', rollback_shortcut: 'F8' };
    const story = new Story({ settings: { ...settings, controls } }).begin().run();
    story.step();
    const { ops, view, press } = desk(story);
    press(' ');
    expect(ops).toEqual([]);
    press('p', { ctrlKey: true });
    expect(ops).toEqual([{ op: 'pause' }]);
    press('F8');
    expect(view.dialog?.kind).toBe('rollback');
  });

  it('Ctrl+Z asks where to, Ctrl+B for an instruction', () => {
    const { view, press } = desk(paused());
    press('z', { ctrlKey: true });
    expect(view.dialog).toEqual({ kind: 'rollback', place: { branch: 'main', step: 0 } });
    view.dialog = null;
    press('b', { ctrlKey: true });
    expect(view.dialog).toMatchObject({ kind: 'branch' });
  });

  it('rolls back at once where the configuration wants neither preview nor question', () => {
    const { settings } = sessionMeta();
    const controls = {
      ...settings.controls,
      show_checkpoint_diff: false,
      require_confirmation: false,
    };
    const story = new Story({ settings: { ...settings, controls } }).begin().run();
    story.step();
    story.step();
    const { ops, press } = desk(story);
    press('z', { ctrlKey: true });
    expect(ops).toEqual([{ op: 'rollback', to: { branch: 'main', step: 0 } }]);
  });

  it('Enter goes to the box for instructions, when there is something to say there', () => {
    const work = desk(running());
    work.press('Enter');
    expect(work.view.composerFocus).toBe(0);
    const rest = desk(paused());
    rest.press('Enter');
    expect(rest.view.composerFocus).toBe(1);
  });
});

describe('keys stay with', () => {
  it.each(['textarea', 'input'])('a %s that is written in', (field) => {
    const { ops, view, press } = desk(running());
    const on = document.querySelector(field) ?? document.body;
    for (const key of [' ', 'Enter', 'j', '1']) {
      expect(press(key, {}, on).defaultPrevented).toBe(false);
    }
    press('z', { ctrlKey: true }, on);
    expect(ops).toEqual([]);
    expect(view.dialog).toBeNull();
  });

  it('a button that the keyboard went to, not one that was clicked', () => {
    const { ops, press, tab } = desk(running());
    const button = document.querySelector('button') ?? document.body;
    press(' ', {}, button);
    expect(ops).toHaveLength(1);
    tab();
    expect(press(' ', {}, button).defaultPrevented).toBe(false);
    expect(ops).toHaveLength(1);
  });

  it('an open dialog', () => {
    const { ops, view, press } = desk(running());
    view.dialog = { kind: 'finish' };
    press(' ');
    expect(ops).toEqual([]);
  });

  it('an input method that composes', () => {
    const { ops, press } = desk(running());
    press(' ', { isComposing: true });
    expect(ops).toEqual([]);
  });
});

describe('rating', () => {
  it('is done with j, k and numbers, also while the agent runs', async () => {
    const { ops, press } = desk(running());
    press('j');
    press('1');
    press('j');
    press('4');
    press('k');
    press('0');
    await vi.waitFor(() => {
      expect(ops).toHaveLength(3);
    });
    const given = ops.map((op) => (op.op === 'annotate' ? [op.target, op.value] : null));
    expect(given).toEqual([
      [{ target: 'step', step: 's0' }, 'Good'],
      [{ target: 'step', step: 's1' }, 'Incorrect'],
      [{ target: 'step', step: 's0' }, null],
    ]);
  });

  it('takes no number that has no label', () => {
    const { ops, press } = desk(running());
    press('j');
    expect(press('7').defaultPrevented).toBe(false);
    expect(ops).toEqual([]);
  });
});
