import { expect, it } from 'vitest';
import en from '../messages/en.json';
import ko from '../messages/ko.json';

const sources = import.meta.glob<string>('/src/**/*.{ts,svelte}', {
  query: '?raw',
  import: 'default',
  eager: true,
});

type Message = string | { match: Record<string, string> }[];

/** The names in braces, in all forms of a message. */
function inputs(message: Message): string[] {
  const texts =
    typeof message === 'string' ? [message] : message.flatMap((form) => Object.values(form.match));
  return [...new Set(texts.flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort();
}

const english = new Map(Object.entries(en as Record<string, Message>));
const korean = new Map(Object.entries(ko as Record<string, Message>));
english.delete('$schema');
korean.delete('$schema');

it('says everything in both languages', () => {
  expect([...korean.keys()].sort()).toEqual([...english.keys()].sort());
});

it('puts the same things into a sentence in both languages', () => {
  const different = [...english].filter(([key, message]) => {
    const other = korean.get(key) ?? '';
    return inputs(message).join(' ') !== inputs(other).join(' ');
  });
  expect(different.map(([key]) => key)).toEqual([]);
});

it('keeps no message that nothing says', () => {
  const text = Object.entries(sources)
    .filter(([file]) => !file.startsWith('/src/paraglide/'))
    .map(([, source]) => source)
    .join('\n');
  const unused = [...english.keys()].filter((key) => !new RegExp(`\\bm\\.${key}\\b`).test(text));
  expect(unused).toEqual([]);
});
