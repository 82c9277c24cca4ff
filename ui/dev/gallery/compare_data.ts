/** Two branches of one session. */
import type { ComparisonView, FileChange, Step, StepKind, StepStatus } from '$lib/bindings';
import type { CompareBranch, CompareStep } from '$lib/components/leaf/compare';
import { DIFFS } from './data';

interface Made {
  kind: StepKind;
  target: string;
  said?: string;
  status?: StepStatus;
  exit?: number;
  ms?: number;
  output?: string;
  lines?: [number, number];
  rating?: string;
}

const LABELS = ['Good', 'Acceptable', 'Unnecessary', 'Incorrect'];

const TOOLS: Record<StepKind, string> = {
  file_read: 'read_file',
  edit: 'edit_file',
  write: 'write_file',
  terminal: 'bash',
  glob: 'glob',
  grep: 'grep',
  message: '',
  tool: 'tool',
};

function step(branch: string, index: number, made: Made): CompareStep {
  const change: FileChange = {
    path: made.target,
    kind: 'modified',
    old: null,
    new: null,
    added_lines: made.lines?.[0] ?? 0,
    removed_lines: made.lines?.[1] ?? 0,
  };
  const whole: Step = {
    id: `${branch}-${index}`,
    branch,
    index,
    kind: made.kind,
    message_id: `m${index}`,
    call_index: 0,
    call_id: `c${index}`,
    tool: TOOLS[made.kind],
    input: { target: made.target, lines: made.lines },
    target: made.target,
    started_at: 0,
    model_ms: 900 + index * 137,
    usage: { input_tokens: 2100, output_tokens: 140, cached_tokens: 0, cache_write_tokens: 0 },
    result: {
      status: made.status ?? 'ok',
      content: made.output ?? '',
      full_output: null,
      output_bytes: 0,
      exit_code: made.exit ?? null,
      duration_ms: made.ms ?? 24,
    },
    checkpoint: {
      id: '0'.repeat(40),
      tree: '0'.repeat(40),
      created: made.lines !== undefined,
      changes: made.lines ? [change] : [],
      uncaptured: [],
      uncaptured_total: 0,
      full_scan: false,
    },
    conversation_hash: '',
    finished_at: 0,
  };
  return {
    step: whole,
    said: made.said ?? '',
    rating: made.rating ?? null,
    ratingRank: made.rating ? LABELS.indexOf(made.rating) : null,
  };
}

const SHARED: Made[] = [
  {
    kind: 'file_read',
    target: 'src/parser.py',
    said: 'I will look at the parser first.',
    rating: 'Good',
  },
  {
    kind: 'terminal',
    target: 'python3 -m pytest -q',
    status: 'command_failed',
    exit: 1,
    ms: 1840,
    output: '..F.\n\u001b[31m1 failed\u001b[0m, \u001b[32m3 passed\u001b[0m in 0.04s',
  },
];

const MADE_A: Made[] = [
  ...SHARED,
  {
    kind: 'edit',
    target: 'src/parser.py',
    said: 'The simplest way is to catch the IndexError and return an empty dict.',
    lines: [3, 1],
    rating: 'Incorrect',
  },
  {
    kind: 'terminal',
    target: 'python3 -m pytest -q',
    ms: 1620,
    output: '....\n\u001b[32m4 passed\u001b[0m in 0.03s',
  },
  { kind: 'message', target: '', said: 'All tests pass now: an empty text gives no settings.' },
];

const MADE_B: Made[] = [
  ...SHARED,
  {
    kind: 'grep',
    target: 'splitlines\\(\\)',
    said: 'Before I change anything I check who else relies on the first line.',
  },
  {
    kind: 'terminal',
    target: 'python3 -m pytest -q',
    ms: 1620,
    output: '....\n\u001b[32m4 passed\u001b[0m in 0.03s',
  },
  {
    kind: 'edit',
    target: 'src/parser.py',
    said: 'A text without any content has no settings; anything else must begin with the header.',
    lines: [4, 6],
    rating: 'Good',
  },
  {
    kind: 'write',
    target: 'tests/unit/settings/reading/test_empty.py',
    said: 'Now a test for blank lines, too.',
    lines: [15, 0],
    rating: 'Acceptable',
  },
  {
    kind: 'terminal',
    target:
      'python3 -m pytest -q tests/unit/settings/reading/test_empty.py --maxfail=1 --durations=5',
    status: 'timed_out',
    ms: 60_000,
  },
  {
    kind: 'message',
    target: '',
    said: 'Empty and blank texts give no settings; a text without a header is refused as before. Two tests hold that.',
  },
];

export const BRANCH_A: CompareBranch = {
  branch: 'main',
  instruction: null,
  steps: MADE_A.map((made, index) => step('main', index, made)),
};

export const BRANCH_B: CompareBranch = {
  branch: 'branch_1',
  instruction:
    'Do not hide the error. Find out what an empty file should mean, then write a test for it.',
  steps: MADE_B.map((made, index) =>
    step(index < SHARED.length ? 'main' : 'branch_1', index, made),
  ),
};

export const COMPARISON: ComparisonView = {
  a: 'main',
  b: 'branch_1',
  shared_step: 1,
  same_start: true,
  files: DIFFS.slice(0, 3),
  side_a: {
    steps: 5,
    test: 'failed',
    working_ms: 14_300,
    input_tokens: 10_240,
    output_tokens: 712,
    cost_micro_usd: 41_400,
    changed_files: 1,
    added_lines: 3,
    removed_lines: 1,
  },
  side_b: {
    steps: 8,
    test: 'passed',
    working_ms: 78_900,
    input_tokens: 18_933,
    output_tokens: 1_904,
    cost_micro_usd: 85_359,
    changed_files: 2,
    added_lines: 19,
    removed_lines: 6,
  },
};
