import { describe, expect, it } from 'vitest';
import type { ChangeKind, TreeFile } from '$lib/bindings';
import {
  allFolders,
  buildTree,
  filterTree,
  findTyped,
  foldersAbove,
  rowsOf,
  splitFound,
} from './file_tree';

const files = (...paths: string[]): TreeFile[] =>
  paths.map((path) => ({ path, size: 1, executable: false, symlink: false }));

const FILES = files(
  'README.md',
  'src/main/java/App.java',
  'src/main/java/Util.java',
  'test/a10.ts',
  'test/a9.ts',
);
const CHANGED = new Map<string, ChangeKind>([
  ['src/main/java/App.java', 'modified'],
  ['src/main/java/Old.java', 'deleted'],
]);

const names = (open: ReadonlySet<string>, tree = buildTree(FILES, CHANGED)) =>
  rowsOf(tree, open).map((row) => `${'  '.repeat(row.level - 1)}${row.node.name}`);

describe('the tree', () => {
  it('joins folders that hold nothing but one folder, and sorts as people count', () => {
    const tree = buildTree(FILES, CHANGED);
    expect(names(allFolders(tree))).toEqual([
      'src/main/java',
      '  App.java',
      '  Old.java',
      '  Util.java',
      'test',
      '  a9.ts',
      '  a10.ts',
      'README.md',
    ]);
  });

  it('counts changes in folders, deleted files included', () => {
    const [folder] = buildTree(FILES, CHANGED);
    expect(folder).toMatchObject({ kind: 'folder', changes: 2 });
  });

  it('names the folders above a file', () => {
    expect(foldersAbove(buildTree(FILES, CHANGED), 'src/main/java/App.java')).toEqual([
      'src/main/java',
    ]);
    expect(foldersAbove(buildTree(FILES, CHANGED), 'README.md')).toEqual([]);
  });

  it('finds files by words anywhere in their paths, and changed ones alone', () => {
    const tree = buildTree(FILES, CHANGED);
    const found = (text: string, changedOnly: boolean) => {
      const shown = filterTree(tree, { text, changedOnly });
      return rowsOf(shown, allFolders(shown))
        .filter((row) => row.node.kind === 'file')
        .map((row) => row.node.name);
    };
    expect(found('JAVA util', false)).toEqual(['Util.java']);
    expect(found('', true)).toEqual(['App.java', 'Old.java']);
    expect(found('nothing', false)).toEqual([]);
  });

  it('marks what was found, signs taken as they are', () => {
    expect(splitFound('Util.java', 'til')).toEqual(['U', 'til', '.java']);
    expect(splitFound('a[1].ts', '[1]')).toEqual(['a', '[1]', '.ts']);
    expect(splitFound('module-1.ts', 'e-1')).toEqual(['modul', 'e-1', '.ts']);
  });

  it('goes round when a name is typed', () => {
    const rows = rowsOf(buildTree(FILES, CHANGED), new Set(['test']));
    expect(rows[findTyped(rows, 2, 'a')]?.node.name).toBe('a10.ts');
    expect(rows[findTyped(rows, 3, 'sr')]?.node.name).toBe('src/main/java');
    expect(findTyped(rows, 0, 'x')).toBe(-1);
  });
});
