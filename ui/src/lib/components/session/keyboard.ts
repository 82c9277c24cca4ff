/** What keys do while a session is on screen. */
import { isControl, isTyping, matches } from '$lib/state/shortcuts';
import { sessionKeys } from '$lib/state/keys';
import type { SessionView } from '$lib/state/view.svelte';
import { controls } from '$lib/words/controls';
import type { SessionActions } from './actions';

export class SessionKeyboard {
  readonly #view: SessionView;
  readonly #actions: SessionActions;
  /** Whether the focus got where it is by pointer: its control then leaves plain keys to us. */
  #byPointer = true;

  constructor(view: SessionView, actions: SessionActions) {
    this.#view = view;
    this.#actions = actions;
  }

  pointed(): void {
    this.#byPointer = true;
  }

  pressed(event: KeyboardEvent): void {
    if (event.key === 'Tab') this.#byPointer = false;
    if (event.defaultPrevented || event.isComposing || event.repeat) {
      if (!isMove(event)) return;
    }
    if (event.defaultPrevented || event.isComposing) return;
    if (this.#view.dialog !== null || isTyping(event.target)) return;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (plain && this.#belongsToControl(event)) return;
    if (this.#steer(event) || (plain && this.#look(event))) event.preventDefault();
  }

  /** Space, Enter and arrows work the control that has the focus, if the keyboard brought it. */
  #belongsToControl(event: KeyboardEvent): boolean {
    const { key, target } = event;
    const works = key === ' ' || key === 'Enter' || key.startsWith('Arrow');
    return works && !this.#byPointer && isControl(target);
  }

  #steer(event: KeyboardEvent): boolean {
    const { session } = this.#view;
    const { shortcuts } = sessionKeys(session.controls);
    const is = (name: keyof typeof shortcuts): boolean => {
      const shortcut = shortcuts[name];
      return shortcut !== null && matches(shortcut, event);
    };
    if (is('undo')) this.#actions.undo();
    else if (is('rollback')) this.#actions.rollback();
    else if (is('branch')) this.#actions.branch();
    else if (is('pause')) this.#actions.main();
    else if (is('instruct') && controls(session.tree).instruct === null) {
      this.#view.composerFocus += 1;
    } else return false;
    return true;
  }

  #look(event: KeyboardEvent): boolean {
    const view = this.#view;
    if (view.comparison !== null) return false;
    switch (event.key) {
      case 'j':
      case 'ArrowDown':
        view.moveFocus(1);
        return true;
      case 'k':
      case 'ArrowUp':
        view.moveFocus(-1);
        return true;
      case 'End':
        view.goLive();
        return true;
      case 'c':
        this.#actions.compare();
        return true;
      case 'e':
        if (view.waitingCall) view.dialog = { kind: 'call' };
        return view.waitingCall !== null;
      case '?':
        view.dialog = { kind: 'shortcuts' };
        return true;
      default:
        return /^[0-9]$/.test(event.key) && this.#rate(Number(event.key));
    }
  }

  /** The first per-turn scheme's label of that number, for the step in focus; 0 takes it back. */
  #rate(number: number): boolean {
    const { session, focusedStep } = this.#view;
    const scheme = session.schemes.find(
      (one) => one.kind === 'per_turn_rating' && one.labels.length > 0,
    );
    if (!scheme || focusedStep === null) return false;
    const label = number === 0 ? null : scheme.labels[number - 1];
    if (label === undefined) return false;
    const value = scheme.answer === 'multiselect' && label !== null ? [label] : label;
    void session.annotate({ target: 'step', step: focusedStep }, scheme.name, value);
    return true;
  }
}

/** Keys that go on while they are held. */
function isMove({ key }: KeyboardEvent): boolean {
  return key === 'j' || key === 'k' || key === 'ArrowDown' || key === 'ArrowUp';
}
