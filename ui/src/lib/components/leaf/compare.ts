/** Two branches laid side by side. Pure; no DOM. */
import type { BranchId, ComparisonView, Step } from '$lib/bindings';

export type Side = 'a' | 'b';

export interface CompareStep {
  readonly step: Step;
  /** What the model said with it; empty when nothing. */
  readonly said: string;
  /** The annotator's rating, in words. */
  readonly rating: string | null;
  /** Place of the rating among its labels, from 0; gives it its colour. */
  readonly ratingRank?: number | null;
}

export interface CompareBranch {
  readonly branch: BranchId;
  /** The instruction that it began with. */
  readonly instruction: string | null;
  /** Its whole path, from step 0. */
  readonly steps: readonly CompareStep[];
}

export interface CompareRow {
  /** Number of the step along both paths. */
  readonly index: number;
  readonly a: CompareStep | null;
  readonly b: CompareStep | null;
  /** Both made the same call. */
  readonly same: boolean;
}

export interface Alignment {
  readonly shared: readonly CompareStep[];
  readonly rows: readonly CompareRow[];
}

/** Text that is equal for equal values, whatever the order of their keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([x], [y]) => (x < y ? -1 : 1)));
  });
}

function sameCall(a: Step, b: Step): boolean {
  if (a.kind === 'message' || b.kind === 'message') return false;
  return a.tool === b.tool && canonical(a.input) === canonical(b.input);
}

export function align(
  comparison: Pick<ComparisonView, 'shared_step'>,
  a: CompareBranch,
  b: CompareBranch,
): Alignment {
  const fork = comparison.shared_step;
  const own = (branch: CompareBranch) => branch.steps.filter(({ step }) => step.index > fork);
  const [ownA, ownB] = [own(a), own(b)];
  const rows = Array.from({ length: Math.max(ownA.length, ownB.length) }, (_, at): CompareRow => {
    const [stepA, stepB] = [ownA[at] ?? null, ownB[at] ?? null];
    return {
      index: fork + 1 + at,
      a: stepA,
      b: stepB,
      same: stepA !== null && stepB !== null && sameCall(stepA.step, stepB.step),
    };
  });
  return { shared: a.steps.filter(({ step }) => step.index <= fork), rows };
}

/** Where an arrow key goes from a step: the next one on its side, or its neighbour. */
export function neighbour(
  rows: readonly CompareRow[],
  from: { readonly row: number; readonly side: Side },
  key: string,
): { row: number; side: Side } | null {
  const here = (row: number, side: Side) => (rows[row]?.[side] ? { row, side } : null);
  const lastOf = (side: Side) => rows.findLastIndex((row) => row[side] !== null);
  switch (key) {
    case 'ArrowDown':
      return here(from.row + 1, from.side);
    case 'ArrowUp':
      return here(from.row - 1, from.side);
    case 'ArrowRight':
      return here(Math.min(from.row, lastOf('b')), 'b');
    case 'ArrowLeft':
      return here(Math.min(from.row, lastOf('a')), 'a');
    case 'Home':
      return here(0, from.side);
    case 'End':
      return here(lastOf(from.side), from.side);
    default:
      return null;
  }
}
