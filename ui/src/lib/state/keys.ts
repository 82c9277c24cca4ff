/** The shortcuts of a session, as its configuration sets them. */
import type { ControlSettings } from '$lib/bindings';
import { parseShortcut, shownKeys, type Shortcut } from './shortcuts';

export type KeyName = 'pause' | 'instruct' | 'rollback' | 'undo' | 'branch';

export interface SessionKeys {
  readonly shortcuts: Readonly<Record<KeyName, Shortcut | null>>;
  /** The keys to show, one by one; none for a control without a shortcut. */
  readonly shown: Readonly<Record<KeyName, readonly string[]>>;
}

/** A shortcut that names no key leaves its control without one; the button still works. */
export function sessionKeys(settings: ControlSettings | null): SessionKeys {
  const rollback = parse(settings?.rollback === true ? settings.rollback_shortcut : '');
  const shortcuts: Record<KeyName, Shortcut | null> = {
    pause: parse(settings?.pause_shortcut ?? ''),
    instruct: parse(settings?.instruct === true ? settings.instruct_shortcut : ''),
    rollback,
    // Undoing is the rollback's shortcut with Shift.
    undo: rollback && !rollback.shift ? { ...rollback, shift: true } : null,
    branch: parse(settings?.branch === true ? settings.branch_shortcut : ''),
  };
  const show = (name: KeyName): string[] => {
    const shortcut = shortcuts[name];
    return shortcut ? shownKeys(shortcut) : [];
  };
  return {
    shortcuts,
    shown: {
      pause: show('pause'),
      instruct: show('instruct'),
      rollback: show('rollback'),
      undo: show('undo'),
      branch: show('branch'),
    },
  };
}

function parse(text: string): Shortcut | null {
  return text === '' ? null : parseShortcut(text);
}
