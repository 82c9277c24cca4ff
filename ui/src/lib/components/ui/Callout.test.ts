import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { AppError } from '$lib/bindings';
import Callout from './Callout.svelte';

const writeText = vi.fn<(text: string) => Promise<void>>();

const error: AppError = {
  code: 'backend_unreachable',
  message: 'There is no model server at http://localhost:11434.',
  hint: 'ollama serve',
  details: [],
  retryable: true,
};

beforeEach(() => {
  writeText.mockReset().mockResolvedValue();
  vi.stubGlobal('navigator', { clipboard: { writeText } });
});

describe('Callout', () => {
  it('says what is wrong and copies the command that mends it', async () => {
    render(Callout, { error });
    expect(screen.getByText(error.message)).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: 'Copy the command' }));
    expect(writeText).toHaveBeenCalledExactlyOnceWith('ollama serve');
    expect(await screen.findByRole('button', { name: 'Copied' })).toBeTruthy();
  });

  it('says that copying failed', async () => {
    writeText.mockRejectedValue(new Error('no permission'));
    render(Callout, { error });
    await fireEvent.click(screen.getByRole('button', { name: 'Copy the command' }));
    expect(await screen.findByRole('button', { name: /Could not copy/u })).toBeTruthy();
  });

  it('folds many details away and shows few', async () => {
    const { rerender } = render(Callout, { error: { ...error, details: ['a', 'b', 'c', 'd'] } });
    expect(screen.getByText('4 details').closest('details')?.open).toBe(false);
    await rerender({ error: { ...error, details: ['a'] } });
    expect(screen.getByText('1 detail').closest('details')?.open).toBe(true);
  });

  it('offers another try only where it may help', async () => {
    const onretry = vi.fn();
    const { rerender } = render(Callout, { error, onretry });
    await fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(onretry).toHaveBeenCalledOnce();
    await rerender({ error: { ...error, retryable: false }, onretry });
    expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull();
  });
});
