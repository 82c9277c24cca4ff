import { expect, it } from 'vitest';
import { prose } from './prose';

it('keeps code fences apart from the text around them', () => {
  expect(prose('Look:\n\n```py\nx = 1\n```\n\nDone.')).toEqual([
    { kind: 'text', spans: [{ kind: 'text', text: 'Look:' }] },
    { kind: 'fence', language: 'py', text: 'x = 1' },
    { kind: 'text', spans: [{ kind: 'text', text: 'Done.' }] },
  ]);
});

it('shows a fence that is still being written as one', () => {
  expect(prose('```\nhalf a li')).toEqual([{ kind: 'fence', language: '', text: 'half a li' }]);
});

it('marks code and bold inside a line, and leaves the rest alone', () => {
  const [block] = prose('Call `parse("")` **now** * 2 ` alone');
  expect(block).toEqual({
    kind: 'text',
    spans: [
      { kind: 'text', text: 'Call ' },
      { kind: 'code', text: 'parse("")' },
      { kind: 'text', text: ' ' },
      { kind: 'strong', text: 'now' },
      { kind: 'text', text: ' * 2 ` alone' },
    ],
  });
});
