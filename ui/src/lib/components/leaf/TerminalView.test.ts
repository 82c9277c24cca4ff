import { fireEvent, render, screen } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';
import TerminalView from './TerminalView.svelte';

const E = '\u001b[';

it('shows text as text, in its colours, and takes no markup for markup', () => {
  render(TerminalView, { text: `${E}31m<b>failed</b>${E}0m\nnext` });
  const log = screen.getByRole('log', { name: 'Terminal output' });
  expect([...log.children].map((line) => line.textContent)).toEqual(['<b>failed</b>', 'next']);
  expect(log.querySelector('span')?.style.color).not.toBe('');
});

it('adds what is new and leaves the lines before it alone', async () => {
  const { rerender } = render(TerminalView, { text: 'one\ntw', live: true });
  const log = screen.getByRole('log');
  const [first] = log.children;
  await rerender({ text: 'one\ntwo\nthree\n', live: true });
  expect([...log.children].map((line) => line.textContent)).toEqual(['one', 'two', 'three']);
  expect(log.children[0]).toBe(first);
});

it('begins again when the text does not go on from the last one', async () => {
  const { rerender } = render(TerminalView, { text: 'one\ntwo\n' });
  await rerender({ text: 'two\nthree\n' });
  expect([...screen.getByRole('log').children].map((line) => line.textContent)).toEqual([
    'two',
    'three',
  ]);
});

it('copies the words without the colours', async () => {
  const writeText = vi.fn<(text: string) => Promise<void>>().mockResolvedValue();
  vi.stubGlobal('navigator', { clipboard: { writeText } });
  render(TerminalView, { text: `10%\r${E}32m100%${E}0m\n` });
  await fireEvent.click(screen.getByRole('button', { name: 'Copy the output' }));
  expect(writeText).toHaveBeenCalledExactlyOnceWith('100%\n');
});
