import { describe, expect, it } from 'vitest';
import type { Step } from '$lib/bindings';
import { align, neighbour, type CompareBranch, type CompareStep } from './compare';

function entry(index: number, tool: string, input: unknown): CompareStep {
  const step: Step = {
    id: `${tool}${index}`,
    branch: 'main',
    index,
    kind: tool === '' ? 'message' : 'terminal',
    message_id: 'm',
    call_index: 0,
    call_id: '',
    tool,
    input,
    target: '',
    started_at: 0,
    model_ms: 0,
    usage: { input_tokens: 0, output_tokens: 0, cached_tokens: 0, cache_write_tokens: 0 },
    result: null,
    checkpoint: null,
    conversation_hash: '',
    finished_at: null,
  };
  return { step, said: '', rating: null };
}

const branch = (id: string, steps: CompareStep[]): CompareBranch => ({
  branch: id,
  instruction: null,
  steps,
});

const shared = [entry(0, 'read_file', { path: 'a' }), entry(1, 'bash', { command: 'test' })];
const a = branch('main', [...shared, entry(2, 'bash', { x: 1, y: 2 }), entry(3, '', null)]);
const b = branch('b', [
  ...shared,
  entry(2, 'bash', { y: 2, x: 1 }),
  entry(3, '', null),
  entry(4, '', null),
]);

describe('align', () => {
  it('lays steps of one number side by side after the shared ones', () => {
    const { shared: common, rows } = align({ shared_step: 1 }, a, b);
    expect(common.map(({ step }) => step.index)).toEqual([0, 1]);
    expect(rows.map((row) => [row.index, row.a?.step.index, row.b?.step.index])).toEqual([
      [2, 2, 2],
      [3, 3, 3],
      [4, undefined, 4],
    ]);
  });

  it('knows the same call whatever the order of its keys, and no message as one', () => {
    expect(align({ shared_step: 1 }, a, b).rows.map((row) => row.same)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('works for branches that share nothing', () => {
    const { shared: common, rows } = align({ shared_step: -1 }, a, b);
    expect(common).toEqual([]);
    expect(rows).toHaveLength(5);
  });
});

describe('neighbour', () => {
  const { rows } = align({ shared_step: 1 }, a, b);

  it('moves along a side and across, to the last step of a shorter one', () => {
    expect(neighbour(rows, { row: 0, side: 'a' }, 'ArrowDown')).toEqual({ row: 1, side: 'a' });
    expect(neighbour(rows, { row: 1, side: 'a' }, 'ArrowDown')).toBeNull();
    expect(neighbour(rows, { row: 2, side: 'b' }, 'ArrowLeft')).toEqual({ row: 1, side: 'a' });
    expect(neighbour(rows, { row: 0, side: 'b' }, 'End')).toEqual({ row: 2, side: 'b' });
  });
});
