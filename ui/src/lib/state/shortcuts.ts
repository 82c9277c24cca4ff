/**
 * Keyboard shortcuts as configurations write them ("Space", "Ctrl+Z", "Ctrl+Shift+ArrowUp").
 */

export interface Shortcut {
  /** As `KeyboardEvent.key`, letters in lower case. */
  readonly key: string;
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
  readonly meta: boolean;
}

const NAMED: Readonly<Record<string, string>> = {
  space: ' ',
  spacebar: ' ',
  enter: 'enter',
  return: 'enter',
  esc: 'escape',
  escape: 'escape',
  tab: 'tab',
  backspace: 'backspace',
  del: 'delete',
  delete: 'delete',
  ins: 'insert',
  insert: 'insert',
  up: 'arrowup',
  down: 'arrowdown',
  left: 'arrowleft',
  right: 'arrowright',
  pgup: 'pageup',
  pgdn: 'pagedown',
  plus: '+',
};

const SHOWN: Readonly<Record<string, string>> = {
  ' ': 'Space',
  enter: 'Enter',
  escape: 'Esc',
  arrowup: '↑',
  arrowdown: '↓',
  arrowleft: '←',
  arrowright: '→',
  pageup: 'PgUp',
  pagedown: 'PgDn',
  backspace: 'Backspace',
  delete: 'Del',
};

/** Reads a shortcut; null for a text that names no key. */
export function parseShortcut(text: string): Shortcut | null {
  const parts = text.trim().split('+');
  // "Ctrl++" ends in an empty part: the key itself is the plus.
  if (parts.length > 1 && parts.at(-1) === '' && parts.at(-2) === '') parts.splice(-2, 2, 'plus');
  const shortcut = { key: '', ctrl: false, alt: false, shift: false, meta: false };
  for (const part of parts) {
    const name = part.trim().toLowerCase();
    switch (name) {
      case 'ctrl':
      case 'control':
      case 'cmdorctrl':
        shortcut.ctrl = true;
        break;
      case 'alt':
      case 'option':
        shortcut.alt = true;
        break;
      case 'shift':
        shortcut.shift = true;
        break;
      case 'meta':
      case 'cmd':
      case 'command':
      case 'super':
      case 'win':
        shortcut.meta = true;
        break;
      default:
        if (name === '' || shortcut.key !== '') return null;
        shortcut.key = NAMED[name] ?? name;
    }
  }
  return shortcut.key === '' ? null : shortcut;
}

type Pressed = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'altKey' | 'shiftKey' | 'metaKey'>;

/** Whether a key press is that shortcut. On a Mac, Command does what Ctrl does elsewhere. */
export function matches(shortcut: Shortcut, event: Pressed, mac = isMac()): boolean {
  const key = event.key.toLowerCase();
  // With another keyboard layout (Hangul, Cyrillic) the letter is known by its place.
  const byPlace =
    event.code === `Key${shortcut.key.toUpperCase()}` || event.code === `Digit${shortcut.key}`;
  if (key !== shortcut.key && !byPlace) return false;
  // A sign such as "?" already says that Shift was pressed.
  const isSign = shortcut.key.length === 1 && !/[\p{L}\p{N} ]/u.test(shortcut.key);
  if (!isSign && event.shiftKey !== shortcut.shift) return false;
  if (event.altKey !== shortcut.alt) return false;
  if (mac && shortcut.ctrl && !shortcut.meta) return event.ctrlKey !== event.metaKey;
  return event.ctrlKey === shortcut.ctrl && event.metaKey === shortcut.meta;
}

/** The keys to show, one by one. */
export function shownKeys(shortcut: Shortcut): string[] {
  const keys: string[] = [];
  if (shortcut.ctrl) keys.push('Ctrl');
  if (shortcut.alt) keys.push('Alt');
  if (shortcut.shift) keys.push('Shift');
  if (shortcut.meta) keys.push('⌘');
  const { key } = shortcut;
  const name = key.length === 1 ? key.toUpperCase() : key.charAt(0).toUpperCase() + key.slice(1);
  keys.push(SHOWN[key] ?? name);
  return keys;
}

/** As text, for tooltips and `aria-keyshortcuts`. */
export function shownShortcut(shortcut: Shortcut | null): string {
  return shortcut ? shownKeys(shortcut).join('+') : '';
}

function isMac(): boolean {
  return navigator.userAgent.includes('Mac');
}

const TYPED_INTO = 'input, textarea, select, [contenteditable=""], [contenteditable="true"]';
const TAKES_KEYS =
  'button, a[href], summary, [role="button"], [role="radio"], [role="checkbox"], [role="switch"], [role="option"], [role="menuitem"], [role="tab"], [role="treeitem"], [role="slider"], [role="separator"][tabindex]';

/** Inputs that are pressed rather than typed into. */
const PRESSED = new Set([
  'button',
  'submit',
  'reset',
  'checkbox',
  'radio',
  'range',
  'color',
  'file',
]);

/** Whether the person is typing a text. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  const field = target.closest(TYPED_INTO);
  if (!field) return false;
  return !(field instanceof HTMLInputElement && PRESSED.has(field.type));
}

/** Whether the focused control itself answers to this key. */
export function isControl(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    (target.closest(TAKES_KEYS) !== null || target.closest('input') !== null)
  );
}
