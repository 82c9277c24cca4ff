/**
 * A tree in the making: each container is copied once, when it is first changed, so that folding a
 * batch of events costs one copy of what the batch touches and the tree before stays as it was.
 */
import type { BranchId, StepId, WorktreeId } from '$lib/bindings';
import type {
  Branch,
  Live,
  Mark,
  Message,
  Output,
  PathItem,
  SessionTree,
  TestRecord,
} from './tree';
import { EMPTY_STANDING, standingOf, type Answer } from './tree';
import type { Checkpoint, Step } from '$lib/bindings';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A branch that the draft may change in place. */
export interface DraftBranch extends Mutable<Omit<Branch, 'items' | 'tests'>> {
  items: PathItem[];
  tests: TestRecord[];
}

export class Draft {
  readonly tree: Mutable<SessionTree>;
  readonly #copied = new Set<string>();
  readonly #branches = new Map<BranchId, DraftBranch>();
  readonly #marks = new Map<StepId, Mark[]>();

  constructor(tree: SessionTree) {
    this.tree = { ...tree };
  }

  /** A map of the tree, copied if it was not yet. */
  #own<K, V>(name: string, map: ReadonlyMap<K, V>, put: (copy: Map<K, V>) => void): Map<K, V> {
    if (this.#copied.has(name)) return map as Map<K, V>;
    const copy = new Map(map);
    this.#copied.add(name);
    put(copy);
    return copy;
  }

  get steps(): Map<StepId, Step> {
    return this.#own('steps', this.tree.steps, (copy) => (this.tree.steps = copy));
  }

  get messages(): Map<string, Message> {
    return this.#own('messages', this.tree.messages, (copy) => (this.tree.messages = copy));
  }

  get answers(): Map<string, ReadonlyMap<string, Answer>> {
    return this.#own('answers', this.tree.answers, (copy) => (this.tree.answers = copy));
  }

  get kept(): Map<string, Checkpoint> {
    return this.#own('kept', this.tree.kept, (copy) => (this.tree.kept = copy));
  }

  get outputs(): Map<StepId, Output> {
    return this.#own('outputs', this.tree.live.outputs, (outputs) => {
      this.live({ outputs });
    });
  }

  /** Replaces parts of what is only shown. */
  live(change: Partial<Live>): void {
    this.tree.live = { ...this.tree.live, ...change };
  }

  /** Makes a worktree the one that the tree speaks about. One that is not open is empty. */
  enter(worktree: WorktreeId): void {
    const { tree } = this;
    if (worktree === tree.worktree) return;
    const others = new Map(tree.others);
    const entered = others.get(worktree) ?? EMPTY_STANDING;
    others.delete(worktree);
    others.set(tree.worktree, standingOf(tree));
    Object.assign(tree, entered, { worktree, others });
    // The outputs are another worktree's now.
    this.#copied.delete('outputs');
  }

  /** Lets go of a worktree that is not entered. */
  closeWorktree(worktree: WorktreeId): void {
    const others = new Map(this.tree.others);
    others.delete(worktree);
    this.tree.others = others;
  }

  addBranch(branch: DraftBranch): void {
    this.tree.branches = [...this.tree.branches, branch];
    this.#branches.set(branch.id, branch);
  }

  /** The branch of that id, to be changed. */
  branch(id: BranchId): DraftBranch | null {
    const owned = this.#branches.get(id);
    if (owned) return owned;
    const position = this.tree.branches.findIndex((branch) => branch.id === id);
    const branch = this.tree.branches[position];
    if (!branch) return null;
    const copy: DraftBranch = { ...branch, items: [...branch.items], tests: [...branch.tests] };
    this.tree.branches = this.tree.branches.with(position, copy);
    this.#branches.set(id, copy);
    return copy;
  }

  addMark(after: StepId, mark: Mark): void {
    let marks = this.#marks.get(after);
    if (!marks) {
      marks = [...(this.tree.marks.get(after) ?? [])];
      this.#marks.set(after, marks);
      const all = this.#own('marks', this.tree.marks, (copy) => (this.tree.marks = copy));
      all.set(after, marks);
    }
    marks.push(mark);
  }
}
