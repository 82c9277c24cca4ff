import { fireEvent, render, screen } from '@testing-library/svelte';
import { createRawSnippet } from 'svelte';
import { expect, it, vi } from 'vitest';
import Button from './Button.svelte';

const children = createRawSnippet(() => ({ render: () => '<span>Roll back</span>' }));

it('stays in reach and does nothing while there is a reason against it', async () => {
  const onclick = vi.fn();
  const { rerender } = render(Button, { children, onclick, reason: 'Pause the agent first.' });
  const button = screen.getByRole('button', { name: 'Roll back' });
  expect(button.hasAttribute('disabled')).toBe(false);
  expect(button.getAttribute('aria-disabled')).toBe('true');
  await fireEvent.click(button);
  expect(onclick).not.toHaveBeenCalled();

  vi.useFakeTimers();
  await fireEvent.pointerEnter(button);
  await vi.advanceTimersByTimeAsync(600);
  vi.useRealTimers();
  const told = document.getElementById(button.getAttribute('aria-describedby') ?? '');
  expect(told?.textContent).toContain('Pause the agent first.');

  await rerender({ children, onclick, reason: null });
  await fireEvent.click(button);
  expect(onclick).toHaveBeenCalledOnce();
});

it('takes one click while it is busy with the last one', async () => {
  const onclick = vi.fn();
  render(Button, { children, onclick, busy: true });
  await fireEvent.click(screen.getByRole('button'));
  expect(onclick).not.toHaveBeenCalled();
});
