/** The files of a project as a tree, and the rows of it that are open. Pure; no DOM. */
import type { ChangeKind, TreeFile } from '$lib/bindings';

export interface FileNode {
  readonly kind: 'file';
  /** The last part of the path. */
  readonly name: string;
  readonly path: string;
  readonly change: ChangeKind | null;
  readonly file: TreeFile | null;
}

export interface FolderNode {
  readonly kind: 'folder';
  /** Several parts where a folder holds nothing but one folder. */
  readonly name: string;
  readonly path: string;
  readonly children: readonly TreeNode[];
  /** Changed files at any depth. */
  readonly changes: number;
}

export type TreeNode = FileNode | FolderNode;

export interface TreeRow {
  readonly node: TreeNode;
  /** From 1. */
  readonly level: number;
  /** Its place among its siblings, from 1, and how many they are. */
  readonly position: number;
  readonly siblings: number;
  readonly open: boolean;
  /** Row of its folder; -1 at the top. */
  readonly parent: number;
}

interface Draft {
  readonly folders: Map<string, Draft>;
  readonly files: FileNode[];
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

const byName = (a: { name: string }, b: { name: string }) => collator.compare(a.name, b.name);

function draftOf(root: Draft, path: string): Draft {
  let draft = root;
  let from = 0;
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', from)) {
    const part = path.slice(from, slash);
    let next = draft.folders.get(part);
    if (!next) {
      next = { folders: new Map(), files: [] };
      draft.folders.set(part, next);
    }
    draft = next;
    from = slash + 1;
  }
  return draft;
}

function folderOf(name: string, path: string, draft: Draft): FolderNode {
  let [only] = draft.folders;
  let inner = draft;
  let [shownName, innerPath] = [name, path];
  // "src / main / java" in one row, where nothing else is in between.
  while (only && inner.folders.size === 1 && inner.files.length === 0) {
    shownName = `${shownName}/${only[0]}`;
    innerPath = `${innerPath}/${only[0]}`;
    inner = only[1];
    [only] = inner.folders;
  }
  const children = childrenOf(inner, `${innerPath}/`);
  let changes = 0;
  for (const child of children) {
    if (child.kind === 'folder') changes += child.changes;
    else if (child.change) changes += 1;
  }
  return { kind: 'folder', name: shownName, path: innerPath, children, changes };
}

function childrenOf(draft: Draft, prefix: string): TreeNode[] {
  const folders = [...draft.folders].map(([name, folder]) =>
    folderOf(name, `${prefix}${name}`, folder),
  );
  return [...folders.sort(byName), ...draft.files.sort(byName)];
}

/** Builds the tree. Deleted files are in `changed` only; they are shown where they were. */
export function buildTree(
  files: readonly TreeFile[],
  changed: ReadonlyMap<string, ChangeKind>,
): readonly TreeNode[] {
  const root: Draft = { folders: new Map(), files: [] };
  const add = (path: string, file: TreeFile | null) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const change = changed.get(path) ?? null;
    draftOf(root, path).files.push({ kind: 'file', name, path, change, file });
  };
  const present = new Set<string>();
  for (const file of files) {
    present.add(file.path);
    add(file.path, file);
  }
  for (const path of changed.keys()) if (!present.has(path)) add(path, null);
  return childrenOf(root, '');
}

/** The folders that must be open for a path to be seen. */
export function foldersAbove(tree: readonly TreeNode[], path: string): string[] {
  const above: string[] = [];
  let nodes = tree;
  for (;;) {
    const folder = nodes.find(
      (node): node is FolderNode => node.kind === 'folder' && path.startsWith(`${node.path}/`),
    );
    if (!folder) return above;
    above.push(folder.path);
    nodes = folder.children;
  }
}

/** The rows to show with these folders open. */
export function rowsOf(tree: readonly TreeNode[], open: ReadonlySet<string>): TreeRow[] {
  const rows: TreeRow[] = [];
  const add = (nodes: readonly TreeNode[], level: number, parent: number) => {
    for (const [index, node] of nodes.entries()) {
      const isOpen = node.kind === 'folder' && open.has(node.path);
      const row = rows.length;
      rows.push({
        node,
        level,
        position: index + 1,
        siblings: nodes.length,
        open: isOpen,
        parent,
      });
      if (isOpen) add(node.children, level + 1, row);
    }
  };
  add(tree, 1, -1);
  return rows;
}

function filtered(nodes: readonly TreeNode[], keep: (file: FileNode) => boolean): TreeNode[] {
  const kept: TreeNode[] = [];
  for (const node of nodes) {
    if (node.kind === 'file') {
      if (keep(node)) kept.push(node);
      continue;
    }
    const children = filtered(node.children, keep);
    if (children.length > 0) kept.push({ ...node, children });
  }
  return kept;
}

export interface TreeFilter {
  /** Words, all of which are somewhere in the path. */
  readonly text: string;
  readonly changedOnly: boolean;
}

/** The part of the tree that a filter leaves; the tree itself when the filter is empty. */
export function filterTree(tree: readonly TreeNode[], filter: TreeFilter): readonly TreeNode[] {
  const words = filter.text.toLowerCase().split(/\s+/u).filter(Boolean);
  if (words.length === 0 && !filter.changedOnly) return tree;
  return filtered(tree, (file) => {
    if (filter.changedOnly && !file.change) return false;
    if (words.length === 0) return true;
    const path = file.path.toLowerCase();
    return words.every((word) => path.includes(word));
  });
}

/** Every folder of a tree: a filtered one is shown open. */
export function allFolders(tree: readonly TreeNode[]): Set<string> {
  const folders = new Set<string>();
  const add = (nodes: readonly TreeNode[]) => {
    for (const node of nodes) {
      if (node.kind !== 'folder') continue;
      folders.add(node.path);
      add(node.children);
    }
  };
  add(tree);
  return folders;
}

export function countFiles(tree: readonly TreeNode[]): number {
  let count = 0;
  for (const node of tree) count += node.kind === 'file' ? 1 : countFiles(node.children);
  return count;
}

/** A name cut where the filter's words are: even parts are plain, odd ones were found. */
export function splitFound(name: string, text: string): string[] {
  const words = text
    .toLowerCase()
    .split(/\s+/u)
    .filter(Boolean)
    .map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&'));
  if (words.length === 0) return [name];
  return name.split(new RegExp(`(${words.join('|')})`, 'iu'));
}

/** The next row after `from` whose name begins with `typed`, going round; -1 without one. */
export function findTyped(rows: readonly TreeRow[], from: number, typed: string): number {
  const wanted = typed.toLowerCase();
  // With one letter typed the search goes on to the next; with more it may stay.
  const start = wanted.length > 1 ? from : from + 1;
  for (let step = 0; step < rows.length; step += 1) {
    const index = (Math.max(0, start) + step) % rows.length;
    if (rows[index]?.node.name.toLowerCase().startsWith(wanted)) return index;
  }
  return -1;
}
