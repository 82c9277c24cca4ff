import { describe, expect, it } from 'vitest';
import { isTyping, matches, parseShortcut, shownShortcut, type Shortcut } from './shortcuts';

const press = (key: string, held: Partial<KeyboardEvent> = {}): KeyboardEvent =>
  new KeyboardEvent('keydown', { key, ...held });

function shortcut(text: string): Shortcut {
  const parsed = parseShortcut(text);
  if (!parsed) throw new Error(`"${text}" is no shortcut`);
  return parsed;
}

describe('a shortcut', () => {
  it.each([
    ['Space', press(' ')],
    ['Enter', press('Enter')],
    ['Ctrl+Z', press('z', { ctrlKey: true })],
    ['ctrl + b', press('b', { ctrlKey: true })],
    ['Ctrl+Shift+ArrowUp', press('ArrowUp', { ctrlKey: true, shiftKey: true })],
    ['Alt+1', press('1', { altKey: true })],
    ['F5', press('F5')],
    ['Ctrl++', press('+', { ctrlKey: true, shiftKey: true })],
    ['?', press('?', { shiftKey: true })],
    ['Ctrl+Z', press('ㅋ', { code: 'KeyZ', ctrlKey: true })],
  ])('%s is recognised', (text, event) => {
    expect(matches(shortcut(text), event, false)).toBe(true);
  });

  it.each([
    ['Ctrl+Z', press('z')],
    ['Ctrl+Z', press('z', { ctrlKey: true, shiftKey: true })],
    ['Space', press(' ', { ctrlKey: true })],
    ['Enter', press('e')],
  ])('%s is not taken for another key', (text, event) => {
    expect(matches(shortcut(text), event, false)).toBe(false);
  });

  it('with Ctrl is pressed with Command on a Mac', () => {
    expect(matches(shortcut('Ctrl+Z'), press('z', { metaKey: true }), true)).toBe(true);
    expect(matches(shortcut('Ctrl+Z'), press('z', { metaKey: true }), false)).toBe(false);
  });

  it.each(['', 'Ctrl', 'Ctrl+A+B'])('"%s" names no key', (text) => {
    expect(parseShortcut(text)).toBeNull();
  });

  it('is shown as it is read', () => {
    expect(shownShortcut(parseShortcut('control+shift+z'))).toBe('Ctrl+Shift+Z');
    expect(shownShortcut(parseShortcut('space'))).toBe('Space');
  });
});

describe('typing', () => {
  it('is what happens in fields, not on buttons', () => {
    document.body.innerHTML =
      '<textarea></textarea><input type="checkbox"><input type="number"><button></button>';
    const is = (selector: string) => isTyping(document.querySelector(selector));
    expect([is('textarea'), is('[type=number]')]).toEqual([true, true]);
    expect([is('[type=checkbox]'), is('button'), isTyping(document.body)]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
