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

/** A row between two steps, with the number of its event. */
interface Entry {
  readonly seq: number;
  readonly row: Row;
}

class Rows {
  readonly #rows: Row[] = [];
  readonly #source: TimelineSource;
  readonly #view: TimelineView;
  readonly #chain: Branch[];
  /** Places of the path's branches in `#chain`. */
  readonly #depth: ReadonlyMap<BranchId, number>;
  /** Branches by the place that they leave from. */
  readonly #leaving = new Map<string, Branch[]>();

  constructor(source: TimelineSource, view: TimelineView) {
    this.#source = source;
    this.#view = view;
    this.#chain = chain(source, view.branch);
    this.#depth = new Map(this.#chain.map((branch, i) => [branch.id, i]));
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
    let last: StepId = '';
    this.#chain.forEach((branch, i) => {
      last = this.#branch(branch, this.#chain[i + 1] ?? null, last);
    });
    if (this.#view.live) this.#rows.push({ kind: 'live', key: 'live' });
    return this.#rows;
  }

  /** A branch's own part of the path, up to where the path leaves it; returns its last step. */
  #branch(branch: Branch, next: Branch | null, from: StepId): StepId {
    const { cursor } = this.#source;
    const cut = next?.branchPoint ?? Number.POSITIVE_INFINITY;
    const first = branch.items.findIndex((item) => item.kind === 'step');
    const begin = first < 0 ? branch.items.length : first;
    const leading = next !== null && cut <= branch.branchPoint ? 0 : begin;
    this.#between(this.#marks(from, branch), this.#instructions(branch, 0, leading, 'path'));
    if (branch.parent === null) this.#fork(branch, -1, next);
    let last = from;
    let passed = false;
    if (
      cursor?.branch === branch.id &&
      cursor.step === branch.branchPoint &&
      begin < branch.items.length
    ) {
      passed = this.#here(branch, cursor.step, next);
    }
    for (let i = begin; i < branch.items.length; i += 1) {
      const item = branch.items[i];
      if (item?.kind !== 'step') continue;
      if (item.index > cut) break;
      const tone: Tone = passed ? 'undone' : 'path';
      this.#step(item.step, item.index, tone);
      last = item.step;
      const end = this.#nextStep(branch, i + 1);
      const leaves = item.index === cut;
      const isHere = this.#isHere(branch, item.index, next);
      const given = leaves || isHere ? [] : this.#instructions(branch, i + 1, end, tone);
      this.#between(
        this.#marks(item.step, branch, tone),
        this.#tests(branch, item.index, tone),
        given,
      );
      this.#fork(branch, item.index, next);
      if (isHere) {
        passed = this.#here(branch, item.index, next);
        this.#between(this.#instructions(branch, i + 1, end, 'undone'));
      }
    }
    return last;
  }

  #nextStep(branch: Branch, from: number): number {
    let end = from;
    while (branch.items[end]?.kind === 'instruction') end += 1;
    return end;
  }

  #step(step: StepId, index: number, tone: Tone): void {
    this.#rows.push({ kind: 'step', key: `step ${step}`, step, index, tone });
  }

  /** What happened between two steps, in order. */
  #between(...groups: Entry[][]): void {
    const entries = groups.flat().sort((a, b) => a.seq - b.seq);
    for (const { row } of entries) this.#rows.push(row);
  }

  #instructions(branch: Branch, from: number, to: number, tone: Tone): Entry[] {
    return branch.items.slice(from, to).flatMap((item, i): Entry[] => {
      if (item.kind !== 'instruction') return [];
      const key = `instruction ${branch.id} ${from + i}`;
      return [{ seq: item.seq, row: { kind: 'instruction', key, item, tone } }];
    });
  }

  #tests(branch: Branch, index: number, tone: Tone): Entry[] {
    return branch.tests.flatMap((record): Entry[] => {
      if (record.afterStep !== index) return [];
      const key = `test ${record.seq}`;
      return [{ seq: record.seq, row: { kind: 'test', key, branch: branch.id, record, tone } }];
    });
  }

  /** The marks after a step that belong to this branch's part of the path. What happened on a
   * branch that had just left from there belongs to that branch's part, or to another path. */
  #marks(after: StepId, branch: Branch, tone: Tone = 'path'): Entry[] {
    const own = this.#depth.get(branch.id) ?? this.#chain.length;
    return (this.#source.marks.get(after) ?? []).flatMap((mark): Entry[] => {
      if (!isShown(mark)) return [];
      const depth = this.#depth.get(mark.branch);
      const belongs =
        mark.branch === branch.id ||
        (depth !== undefined && depth < own && this.#made(branch, after));
      if (!belongs) return [];
      const key = `mark ${mark.seq}`;
      return [{ seq: mark.seq, row: { kind: 'mark', key, mark, tone } }];
    });
  }

  /** Whether the branch itself holds the step: a tail brought the marks of its steps along. */
  #made(branch: Branch, step: StepId): boolean {
    return branch.items.some((item) => item.kind === 'step' && item.step === step);
  }

  /** Other ways on from a step of the path, and tails that are unfolded. */
  #fork(branch: Branch, step: number, next: Branch | null): void {
    const leaving = this.#leaving.get(`${branch.id} ${step}`) ?? [];
    const ways: Way[] = leaving
      .filter((child) => child.id !== next?.id)
      .map((child) => ({
        branch: child.id,
        kind: child.kind,
        instruction: child.instruction,
        steps: ownSteps(child),
      }));
    if (next?.branchPoint === step) {
      const steps = branch.items.filter((item) => item.kind === 'step' && item.index > step).length;
      if (steps > 0) {
        ways.unshift({ branch: branch.id, kind: branch.kind, instruction: null, steps });
      }
    }
    if (ways.length === 0) return;
    const place = { branch: branch.id, step };
    this.#rows.push({ kind: 'fork', key: `fork ${branch.id} ${step}`, place, ways });
    for (const way of ways) {
      if (way.kind === 'abandoned' && this.#view.unfolded.has(way.branch)) this.#tail(way.branch);
    }
  }

  /** An abandoned branch, unfolded. */
  #tail(id: BranchId): void {
    const tail = branchOf(this.#source, id);
    if (!tail) return;
    tail.items.forEach((item, i) => {
      if (item.kind === 'instruction') {
        this.#between(this.#instructions(tail, i, i + 1, 'abandoned'));
        return;
      }
      this.#step(item.step, item.index, 'abandoned');
      this.#between(
        this.#marks(item.step, tail, 'abandoned'),
        this.#tests(tail, item.index, 'abandoned'),
      );
    });
  }

  /** Whether the session stands after this step while steps that were rolled back follow. */
  #isHere(branch: Branch, step: number, next: Branch | null): boolean {
    const { cursor } = this.#source;
    if (next !== null || cursor?.branch !== branch.id || cursor.step !== step) return false;
    return branch.items.some((item) => item.kind === 'step' && item.index > step);
  }

  /** Marks where the session stands, if it does; tells whether what follows was rolled back. */
  #here(branch: Branch, step: number, next: Branch | null): boolean {
    if (!this.#isHere(branch, step, next)) return false;
    this.#rows.push({ kind: 'here', key: 'here', place: { branch: branch.id, step } });
    return true;
  }
}

/** Instructions have rows of their own, a hand edit is told by its checkpoint, and a branch that
 * leaves from where the session stood by the fork. */
function isShown({ body }: Mark): boolean {
  if (body.kind === 'intervention') {
    const { intervention } = body;
    if (intervention.kind === 'branch') {
      const { from, to } = intervention;
      return from.branch !== to.branch || from.step !== to.step;
    }
    return intervention.kind !== 'instruct' && intervention.kind !== 'edit_by_hand';
  }
  if (body.kind === 'provider') return body.retried || body.error.code !== 'recording_ended';
  return true;
}
