import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';
import ConfirmDialog from './ConfirmDialog.svelte';

const words = { title: 'Roll back?', message: 'Two files change.', confirmLabel: 'Roll back' };

it('begins at the safe answer where something is lost', async () => {
  render(ConfirmDialog, { open: true, ...words, tone: 'danger', onconfirm: vi.fn() });
  const cancel = await screen.findByRole('button', { name: 'Cancel' });
  await waitFor(() => {
    expect(document.activeElement).toBe(cancel);
  });
});

it('stays until what was confirmed is done', async () => {
  let finish = () => {};
  const onconfirm = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)));
  render(ConfirmDialog, { open: true, ...words, onconfirm });
  const confirm = await screen.findByRole('button', { name: 'Roll back' });
  await fireEvent.click(confirm);
  await fireEvent.click(confirm);
  expect(onconfirm).toHaveBeenCalledOnce();
  expect(screen.getByRole('alertdialog')).toBeTruthy();
  finish();
  await waitFor(() => {
    expect(screen.queryByRole('alertdialog')).toBeNull();
  });
});

it('is answered with no by Escape', async () => {
  const oncancel = vi.fn();
  render(ConfirmDialog, { open: true, ...words, onconfirm: vi.fn(), oncancel });
  await fireEvent.keyDown(await screen.findByRole('alertdialog'), { key: 'Escape' });
  expect(oncancel).toHaveBeenCalledOnce();
});
