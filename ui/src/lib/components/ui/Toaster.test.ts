import { fireEvent, render, screen } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';
import type { ToastMessage } from './toast';
import Toaster from './Toaster.svelte';

function toast(change: Partial<ToastMessage>): ToastMessage {
  return { id: 1, tone: 'success', title: 'Saved', text: '', details: [], action: null, ...change };
}

it('reads failures out at once and the rest when there is time', () => {
  render(Toaster, {
    toasts: [toast({}), toast({ id: 2, tone: 'danger', title: 'The disk is full.' })],
    ondismiss: vi.fn(),
  });
  expect(screen.getByRole('alert').textContent).toContain('The disk is full.');
  expect(screen.getAllByRole('status').some((status) => status.textContent.includes('Saved'))).toBe(
    true,
  );
});

it('runs the action once and goes', async () => {
  const [run, ondismiss] = [vi.fn(), vi.fn()];
  render(Toaster, { toasts: [toast({ id: 7, action: { label: 'Undo', run } })], ondismiss });
  await fireEvent.click(screen.getByRole('button', { name: 'Undo' }));
  expect(run).toHaveBeenCalledOnce();
  expect(ondismiss).toHaveBeenCalledExactlyOnceWith(7);
});

it('is dismissed by its button and, newest first, by Escape', async () => {
  const ondismiss = vi.fn();
  render(Toaster, { toasts: [toast({}), toast({ id: 2, title: 'Restored' })], ondismiss });
  const [first] = screen.getAllByRole('button', { name: 'Dismiss' });
  await fireEvent.click(first!);
  expect(ondismiss).toHaveBeenLastCalledWith(1);
  await fireEvent.keyDown(first!, { key: 'Escape' });
  expect(ondismiss).toHaveBeenLastCalledWith(2);
});

it('tells that the person reads', async () => {
  const onhold = vi.fn();
  render(Toaster, { toasts: [toast({})], ondismiss: vi.fn(), onhold });
  const list = screen.getByRole('list');
  await fireEvent.pointerEnter(list);
  await fireEvent.pointerLeave(list);
  expect(onhold.mock.calls).toEqual([[true], [false]]);
});
