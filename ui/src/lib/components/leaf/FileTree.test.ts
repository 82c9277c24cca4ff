import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChangeKind, TreeFile } from '$lib/bindings';
import FileTree from './FileTree.svelte';

const HEIGHT = 240;

beforeEach(() => {
  // jsdom lays nothing out.
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  );
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', {
    configurable: true,
    value: HEIGHT,
  });
});

const file = (path: string): TreeFile => ({ path, size: 1, executable: false, symlink: false });
const FILES = ['docs/guide.md', 'src/alpha.ts', 'src/beta.ts', 'src/inner/gamma.ts', 'zeta.ts'].map(
  file,
);
const CHANGED = new Map<string, ChangeKind>([['src/beta.ts', 'modified']]);

interface Given {
  files?: TreeFile[];
  selected?: string | null;
  follow?: string | null;
}

function show(given: Given = {}) {
  const onselect = vi.fn<(path: string) => void>();
  const props = {
    files: FILES,
    changed: CHANGED,
    selected: null,
    follow: null,
    onselect,
    ...given,
  };
  const view = render(FileTree, props);
  const tree = screen.getByRole('tree');
  const press = async (...keys: string[]) => {
    for (const key of keys) await fireEvent.keyDown(tree, { key });
  };
  const active = () =>
    document.getElementById(tree.getAttribute('aria-activedescendant') ?? '')?.title ?? null;
  const rows = () =>
    within(tree)
      .queryAllByRole('treeitem')
      .map((row) => row.title);
  return { ...view, props, tree, press, active, rows, onselect };
}

describe('FileTree by keyboard', () => {
  it('opens and closes folders and goes in and out of them', async () => {
    const { tree, press, active, rows } = show();
    await fireEvent.focus(tree);
    expect(active()).toBe('docs');
    await press('ArrowDown', 'ArrowRight');
    expect(rows()).toEqual(['docs', 'src', 'src/inner', 'src/alpha.ts', 'src/beta.ts', 'zeta.ts']);
    expect(active()).toBe('src');
    await press('ArrowRight', 'ArrowDown');
    expect(active()).toBe('src/alpha.ts');
    await press('ArrowLeft');
    expect(active()).toBe('src');
    await press('ArrowLeft');
    expect(rows()).toEqual(['docs', 'src', 'zeta.ts']);
    await press('End');
    expect(active()).toBe('zeta.ts');
    await press('Home');
    expect(active()).toBe('docs');
  });

  it('chooses a file with Enter', async () => {
    const { press, onselect } = show();
    await press('End', 'Enter');
    expect(onselect).toHaveBeenCalledExactlyOnceWith('zeta.ts');
  });

  it('goes to the name that is typed and leaves keys of the app alone', async () => {
    const { press, active, tree } = show();
    for (const key of [' ', '3']) {
      expect(await fireEvent.keyDown(tree, { key })).toBe(true);
    }
    await press('z');
    expect(active()).toBe('zeta.ts');
    expect(await fireEvent.keyDown(tree, { key: 'z', ctrlKey: true })).toBe(true);
  });

  it('tells screen readers level, place and state', async () => {
    const { press } = show();
    await press('Home', 'ArrowDown', 'ArrowRight');
    const row = screen.getByTitle('src/alpha.ts');
    expect(row.getAttribute('aria-level')).toBe('2');
    expect(row.getAttribute('aria-posinset')).toBe('2');
    expect(row.getAttribute('aria-setsize')).toBe('3');
    expect(screen.getByTitle('src').getAttribute('aria-expanded')).toBe('true');
    expect(within(screen.getByTitle('src/beta.ts')).getByText('modified')).toBeTruthy();
  });
});

describe('FileTree and the agent', () => {
  it('goes where the agent is until the person takes over', async () => {
    const { rerender, props, press, rows } = show({ follow: 'src/beta.ts' });
    expect(rows()).toContain('src/beta.ts');
    await rerender({ ...props, follow: 'docs/guide.md' });
    expect(rows()).toContain('docs/guide.md');
    await press('Home');
    await rerender({ ...props, follow: 'src/inner/gamma.ts' });
    expect(rows()).not.toContain('src/inner/gamma.ts');
    await fireEvent.click(screen.getByRole('button', { name: 'Follow the agent' }));
    expect(rows()).toContain('src/inner/gamma.ts');
  });

  it('opens the way to the file that is shown', () => {
    const { rows } = show({ selected: 'src/inner/gamma.ts' });
    expect(rows()).toContain('src/inner/gamma.ts');
    expect(screen.getByTitle('src/inner/gamma.ts').getAttribute('aria-selected')).toBe('true');
  });
});

describe('FileTree with many files', () => {
  const many = Array.from({ length: 20_000 }, (_, index) => file(`f${index}.ts`));

  it('makes only the rows in sight', async () => {
    const { rows, tree } = show({ files: many });
    expect(rows().length).toBeLessThan(40);
    tree.scrollTop = 100_000;
    await fireEvent.scroll(tree);
    expect(rows()).toContain('f4170.ts');
    expect(rows().length).toBeLessThan(60);
  });

  it('filters, says how many it found, and is itself again', async () => {
    const { rows } = show({ files: many });
    const field = screen.getByRole('searchbox', { name: 'Filter files' });
    await fireEvent.input(field, { target: { value: 'f1234' } });
    expect(rows()).toHaveLength(11);
    expect(screen.getByRole('status').textContent).toContain('11 files');
    await fireEvent.keyDown(field, { key: 'Escape' });
    expect(rows().length).toBeGreaterThan(11);
  });
});
