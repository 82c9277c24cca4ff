/**
 * The rows of the timeline: a branch's whole path with what happened between its steps, where other
 * branches leave, and the tails that were left behind. Pure; the rows hold ids, not contents.
 */
import type { BranchId, BranchKind, Place, StepId } from '$lib/bindings';
import { branchOf, chain, ownSteps } from './path';
import type { Branch, InstructionItem, Mark, SessionTree, TestRecord } from './tree';

/** What a step's row says about the step's part in the session. */
export type Tone =
  /** On the path that the session follows. */
  | 'path'
  /** Behind the place that the session was rolled back to. */
  | 'undone'
  /** On a tail that a rollback left behind. */
  | 'abandoned';

/** Another way on from a place. */
export interface Way {
  readonly branch: BranchId;
  readonly kind: BranchKind;
  readonly instruction: string | null;
  /** Steps after the fork. */
  readonly steps: number;
}

export type Row =
  | { readonly kind: 'start'; readonly key: string }
  | {
      readonly kind: 'step';
      readonly key: string;
      readonly step: StepId;
      readonly index: number;
      readonly tone: Tone;
    }
  | {
      readonly kind: 'instruction';
      readonly key: string;
      readonly item: InstructionItem;
      readonly tone: Tone;
    }
  | { readonly kind: 'mark'; readonly key: string; readonly mark: Mark; readonly tone: Tone }
  | {
      readonly kind: 'test';
      readonly key: string;
      readonly branch: BranchId;
      readonly record: TestRecord;
      readonly tone: Tone;
    }
  | {
      readonly kind: 'fork';
      readonly key: string;
      readonly place: Place;
      readonly ways: readonly Way[];
    }
  | { readonly kind: 'here'; readonly key: string; readonly place: Place }
  | { readonly kind: 'live'; readonly key: string };

/** The parts of the tree that decide about rows. */
export type TimelineSource = Pick<SessionTree, 'branches' | 'marks' | 'cursor'>;

export interface TimelineView {
  /** The branch whose path is shown. */
  readonly branch: BranchId;
  /** Abandoned branches that are unfolded where they leave. */
  readonly unfolded: ReadonlySet<BranchId>;
  /** Whether something is being written at the end. */
  readonly live: boolean;
}

/** The rows from the start of the session to the end of the branch. */
export function timelineRows(source: TimelineSource, view: TimelineView): Row[] {
  return new Rows(source, view).build();
}

class Rows {
  readonly #rows: Row[] = [];
  readonly #source: TimelineSource;
  readonly #view: TimelineView;
  readonly #chain: Branch[];
  readonly #onChain: ReadonlySet<BranchId>;
  /** Branches by the place that they leave from. */
  readonly #leaving = new Map<string, Branch[]>();

  constructor(source: TimelineSource, view: TimelineView) {
    this.#source = source;
    this.#view = view;
    this.#chain = chain(source, view.branch);
    this.#onChain = new Set(this.#chain.map((branch) => branch.id));
    for (const branch of source.branches) {
      if (branch.parent === null) continue;
      const key = `${branch.parent} ${branch.branchPoint}`;
      const known = this.#leaving.get(key);
      if (known) known.push(branch);
      else this.#leaving.set(key, [branch]);
    }
  }

  build(): Row[] {
    const root = this.#chain[0];
    if (!root) return [];
    this.#rows.push({ kind: 'start', key: 'start' });
    this.#marks('', root.id, 'path');
    this.#after(root, -1, this.#chain[1] ?? null);
    this.#chain.forEach((branch, i) => {
      this.#branch(branch, this.#chain[i + 1] ?? null);
    });
    if (this.#view.live) this.#rows.push({ kind: 'live', key: 'live' });
    return this.#rows;
  }

  /** A branch's own items, up to where the path leaves it. */
  #branch(branch: Branch, next: Branch | null): void {
    const cursor = this.#source.cursor;
    const isLast = next === null;
    const cut = next?.branchPoint ?? Number.POSITIVE_INFINITY;
    let at = branch.branchPoint;
    for (const [i, item] of branch.items.entries()) {
      const passed = isLast && cursor?.branch === branch.id && at >= cursor.step;
      if (item.kind === 'step') {
        if (item.index > cut) break;
        const tone: Tone = passed ? 'undone' : 'path';
        this.#step(item.step, item.index, branch, tone);
        at = item.index;
        this.#after(branch, at, next);
      } else {
        // An instruction after the last step that the path takes was not given on this path.
        if (at >= cut) break;
        this.#instruction(branch, item, i, 'path');
      }
    }
  }

  #step(step: StepId, index: number, branch: Branch, tone: Tone): void {
    this.#rows.push({ kind: 'step', key: `step ${step}`, step, index, tone });
    this.#marks(step, branch.id, tone);
    for (const record of branch.tests) {
      if (record.afterStep === index) {
        const key = `test ${record.seq}`;
        this.#rows.push({ kind: 'test', key, branch: branch.id, record, tone });
      }
    }
  }

  #instruction(branch: Branch, item: InstructionItem, i: number, tone: Tone): void {
    this.#rows.push({ kind: 'instruction', key: `instruction ${branch.id} ${i}`, item, tone });
  }

  /** What stands after a step of the path: other ways on, and the place the session is at. */
  #after(branch: Branch, step: number, next: Branch | null): void {
    const place = { branch: branch.id, step };
    const leaving = this.#leaving.get(`${branch.id} ${step}`) ?? [];
    const ways: Way[] = leaving
      .filter((child) => child.id !== next?.id)
      .map((child) => ({
        branch: child.id,
        kind: child.kind,
        instruction: child.instruction,
        steps: ownSteps(child),
      }));
    if (next?.branchPoint === step && next.parent === branch.id) {
      const steps = branch.items.filter((item) => item.kind === 'step' && item.index > step).length;
      if (steps > 0) {
        ways.unshift({ branch: branch.id, kind: branch.kind, instruction: null, steps });
      }
    }
    if (ways.length > 0) {
      this.#rows.push({ kind: 'fork', key: `fork ${branch.id} ${step}`, place, ways });
      for (const way of ways) {
        if (this.#view.unfolded.has(way.branch) && way.kind === 'abandoned') {
          this.#tail(way.branch);
        }
      }
    }
    const { cursor } = this.#source;
    const isHere = cursor?.branch === branch.id && cursor.step === step;
    if (!isHere || next !== null) return;
    const goesOn = branch.items.some((item) => item.kind === 'step' && item.index > step);
    if (goesOn) this.#rows.push({ kind: 'here', key: 'here', place });
  }

  /** An abandoned branch, unfolded. */
  #tail(id: BranchId): void {
    const tail = branchOf(this.#source, id);
    for (const [i, item] of (tail?.items ?? []).entries()) {
      if (!tail) break;
      if (item.kind === 'step') this.#step(item.step, item.index, tail, 'abandoned');
      else this.#instruction(tail, item, i, 'abandoned');
    }
  }

  #marks(after: StepId, owner: BranchId, tone: Tone): void {
    for (const mark of this.#source.marks.get(after) ?? []) {
      // A mark made on a branch that had just left from here belongs to that branch's path only.
      if (mark.branch !== owner && !this.#onChain.has(mark.branch) && tone !== 'abandoned')
        continue;
      if (!isShown(mark)) continue;
      this.#rows.push({ kind: 'mark', key: `mark ${mark.seq}`, mark, tone });
    }
  }
}

/** Instructions have rows of their own, and a hand edit is told by its checkpoint. */
function isShown({ body }: Mark): boolean {
  if (body.kind === 'intervention') {
    const { kind } = body.intervention;
    return kind !== 'instruct' && kind !== 'edit_by_hand';
  }
  if (body.kind === 'provider') return body.retried || body.error.code !== 'recording_ended';
  return true;
}
