/** Builds event logs for tests and for the development preview. Not part of the app. */
import type {
  Actor,
  AnnotationTarget,
  Block,
  BranchKind,
  Checkpoint,
  CheckpointCause,
  Event as SessionEvent,
  EventBody,
  FileChange,
  Intervention,
  Place,
  SchemeSettings,
  SessionMeta,
  SessionState,
  Step,
  StepKind,
  StepResult,
  TestOutcome,
  Usage,
} from '$lib/bindings';

export const RATING: SchemeSettings = {
  name: 'step_quality',
  description: 'Rate each agent step as you observe it',
  kind: 'per_turn_rating',
  target: 'step',
  answer: 'radio',
  labels: ['Good', 'Acceptable', 'Unnecessary', 'Incorrect'],
  min: null,
  max: null,
  step: null,
  min_label: null,
  max_label: null,
  required: false,
  prefers_a: [],
  prefers_b: [],
};

export function scheme(change: Partial<SchemeSettings>): SchemeSettings {
  return { ...RATING, ...change };
}

export const SCHEMES: SchemeSettings[] = [
  RATING,
  scheme({
    name: 'task_completion',
    description: 'Did the agent complete the task?',
    kind: 'radio',
    target: 'branch',
    labels: ['Fully Complete', 'Partially Complete', 'Failed'],
    required: true,
  }),
  scheme({
    name: 'branch_preference',
    description: 'Which branch produced a better result?',
    kind: 'branch_preference',
    target: 'comparison',
    answer: 'branch_preference',
    labels: ['Branch A', 'Branch B', 'Both Equal', 'Both Failed'],
    prefers_a: ['Branch A'],
    prefers_b: ['Branch B'],
  }),
  scheme({
    name: 'observation_notes',
    description: 'Describe what you observed and any interventions you made',
    kind: 'text',
    target: 'session',
    answer: 'text',
    labels: [],
  }),
];

export function sessionMeta(change: Partial<SessionMeta> = {}): SessionMeta {
  return {
    id: 'k3v9x0q2ab',
    task: {
      id: 'demo_001',
      description: 'Fix the bug in src/parser.py where empty input causes a crash',
      project_dir: '/home/ada/espalier/data/demo-project',
      start_file: 'src/parser.py',
      test_command: 'python3 -m unittest -v',
      context_files: [],
    },
    annotator: 'ada',
    config_path: '/home/ada/espalier/config/demo.yaml',
    settings: {
      task_name: 'Espalier demo: a parser that crashes on empty input',
      backend: { backend: 'replay', recording: '/home/ada/demo.json', pace: 1 },
      tools: ['read_file', 'edit_file', 'write_file', 'bash', 'glob', 'grep'],
      max_steps: 50,
      step_timeout_seconds: 60,
      system_prompt: null,
      controls: {
        pause: true,
        auto_pause_on_error: false,
        auto_pause_after_steps: 0,
        pause_shortcut: 'Space',
        instruct: true,
        placeholder: 'Type instructions for the agent...',
        inject_as: 'system_message',
        instruct_shortcut: 'Enter',
        presets: [
          'Try a different approach -- use a try/except block instead',
          'Read the test file first to understand expected behavior',
        ],
        rollback: true,
        show_checkpoint_diff: true,
        require_confirmation: true,
        rollback_shortcut: 'Ctrl+Z',
        branch: true,
        max_branches: 5,
        branch_naming: 'auto',
        compare_view: true,
        branch_shortcut: 'Ctrl+B',
        loop_detection: true,
        loop_threshold: 3,
        loop_action: 'pause',
      },
      checkpoints: {
        enabled: true,
        branch_prefix: 'potato-session',
        commit_message_format: 'Step {step}: {tool} {file_path}',
        auto_commit: true,
        cleanup_on_complete: false,
        require_clean_working_dir: true,
      },
      schemes: SCHEMES,
      output_dir: '/home/ada/espalier/output',
    },
    tool_definitions: [],
    opening: [],
    app_version: '0.1.0',
    created_at: 1_760_000_000_000,
    ...change,
  };
}

export function result(change: Partial<StepResult> = {}): StepResult {
  return {
    status: 'ok',
    content: 'done',
    full_output: null,
    output_bytes: 4,
    exit_code: null,
    duration_ms: 12,
    ...change,
  };
}

export function change(path: string, added = 1, removed = 1): FileChange {
  const side = { blob: '0'.repeat(40), mode: 0o100644 };
  return {
    path,
    kind: 'modified',
    old: side,
    new: side,
    added_lines: added,
    removed_lines: removed,
  };
}

export function checkpoint(id: string, changes: FileChange[] = []): Checkpoint {
  return {
    id: id.padEnd(40, '0'),
    tree: id.padEnd(40, 'f'),
    created: changes.length > 0,
    changes,
    uncaptured: [],
    uncaptured_total: 0,
    full_scan: false,
  };
}

interface StepOptions {
  kind?: StepKind;
  tool?: string;
  target?: string;
  input?: unknown;
  text?: string;
  thinking?: string;
  usage?: Usage;
  result?: Partial<StepResult>;
  changes?: FileChange[];
}

/** A log in the making. Each method adds events and remembers them in `events`. */
export class Story {
  readonly events: SessionEvent[] = [];
  at: number;
  seq = 0;
  steps = 0;
  messages = 0;
  cursor: Place = { branch: 'main', step: -1 };
  readonly meta: SessionMeta;

  constructor(meta: Partial<SessionMeta> = {}) {
    this.meta = sessionMeta(meta);
    this.at = this.meta.created_at;
  }

  add(body: EventBody): SessionEvent {
    this.seq += 1;
    return this.#push(body);
  }

  /** An event that is only shown. */
  show(body: EventBody): SessionEvent {
    return this.#push(body);
  }

  #push(body: EventBody): SessionEvent {
    const event = { session: this.meta.id, seq: this.seq, at: this.at, body };
    this.events.push(event);
    return event;
  }

  wait(ms: number): this {
    this.at += ms;
    return this;
  }

  begin(): this {
    this.add({ type: 'session_created', meta: this.meta });
    this.branch('main', 'root', null, -1);
    this.kept('base', 'base');
    return this.state({ state: 'paused', reason: { kind: 'not_started' } });
  }

  run(): this {
    this.state({ state: 'running' });
    this.add({
      type: 'run_started',
      branch: this.cursor.branch,
      backend: this.meta.settings.backend,
    });
    return this;
  }

  state(state: SessionState): this {
    this.add({ type: 'state_changed', state });
    return this;
  }

  branch(
    id: string,
    kind: BranchKind,
    parent: string | null,
    branch_point: number,
    instruction: string | null = null,
  ): this {
    const git_branch = `potato-session-${this.meta.id}-${id}`;
    this.cursor = { branch: id, step: branch_point };
    this.add({
      type: 'branch_created',
      branch: { id, kind, parent, branch_point, instruction, git_branch },
    });
    return this;
  }

  kept(cause: CheckpointCause, id: string, changes: FileChange[] = []): this {
    this.add({
      type: 'checkpoint_recorded',
      cause,
      at: this.cursor,
      checkpoint: checkpoint(id, changes),
    });
    return this;
  }

  message(blocks: Block[], usage?: Usage): string {
    const message_id = `m${this.messages}`;
    this.messages += 1;
    this.add({
      type: 'message_completed',
      message_id,
      branch: this.cursor.branch,
      blocks,
      usage: usage ?? {
        input_tokens: 900,
        output_tokens: 60,
        cached_tokens: 0,
        cache_write_tokens: 0,
      },
      model_ms: 1400,
    });
    return message_id;
  }

  start(message_id: string, call_index: number, options: StepOptions = {}): Step {
    const kind = options.kind ?? 'file_read';
    const step: Step = {
      id: `s${this.steps}`,
      branch: this.cursor.branch,
      index: this.cursor.step + 1,
      kind,
      message_id,
      call_index,
      call_id: kind === 'message' ? '' : `${message_id}-c${call_index}`,
      tool: kind === 'message' ? '' : (options.tool ?? 'read_file'),
      input: options.input ?? { path: options.target ?? 'src/parser.py' },
      target: options.target ?? (kind === 'message' ? '' : 'src/parser.py'),
      started_at: this.at,
      model_ms: call_index === 0 ? 1400 : 0,
      usage: options.usage ?? {
        input_tokens: 900,
        output_tokens: 60,
        cached_tokens: 0,
        cache_write_tokens: 0,
      },
      result: null,
      checkpoint: null,
      conversation_hash: '',
      finished_at: null,
    };
    this.steps += 1;
    this.cursor = { branch: step.branch, step: step.index };
    this.add({ type: 'step_started', step });
    return step;
  }

  finish(step: Step, options: StepOptions = {}): this {
    this.wait(options.result?.duration_ms ?? 12);
    this.add({
      type: 'step_finished',
      step: step.id,
      result: result(options.result),
      checkpoint: checkpoint(`c${step.id.slice(1)}`, options.changes),
      conversation_hash: `h${step.id}`,
    });
    return this;
  }

  /** A message with one call, run to its end. */
  step(options: StepOptions = {}): Step {
    const blocks: Block[] = [];
    const kind = options.kind ?? 'file_read';
    const tool = options.tool ?? 'read_file';
    if (options.thinking) blocks.push({ kind: 'thinking', text: options.thinking, raw: null });
    if (options.text) blocks.push({ kind: 'text', text: options.text, raw: null });
    const message = `m${this.messages}`;
    if (kind !== 'message') {
      const input = options.input ?? { path: options.target ?? 'src/parser.py' };
      blocks.push({ kind: 'tool_call', call_id: `${message}-c0`, name: tool, input, raw: null });
    }
    this.wait(1400).message(blocks, options.usage);
    const step = this.start(message, 0, options);
    this.finish(step, options);
    return step;
  }

  intervene(intervention: Intervention, by: Actor = 'person'): this {
    this.add({ type: 'intervened', by, intervention });
    return this;
  }

  /** Everything the engine records for a rollback. */
  rollback(to: Place): this {
    const from = this.cursor;
    this.state({ state: 'restoring' });
    this.intervene({ kind: 'rollback', from, to });
    this.move(from, to);
    return this.state({ state: 'paused', reason: { kind: 'rolled_back' } });
  }

  move(from: Place, to: Place, target = 'base'): this {
    this.add({
      type: 'restore_started',
      from,
      to,
      before: 'x'.repeat(40),
      target: checkpoint(target).id,
    });
    this.add({ type: 'restore_finished', changed: 1, left_alone: [] });
    this.cursor = to;
    this.add({ type: 'cursor_moved', to });
    return this;
  }

  abandon(branch: string, after_step: number, id: string): this {
    this.add({
      type: 'tail_abandoned',
      branch,
      after_step,
      abandoned: {
        id,
        kind: 'abandoned',
        parent: branch,
        branch_point: after_step,
        instruction: null,
        git_branch: `potato-session-${this.meta.id}-${id}`,
      },
    });
    return this;
  }

  fork(from: Place, id: string, instruction: string): this {
    const here = this.cursor;
    this.state({ state: 'restoring' });
    this.intervene({ kind: 'branch', from: here, to: from, branch: id, instruction });
    this.move(here, from);
    this.branch(id, 'instructed', from.branch, from.step, instruction);
    return this;
  }

  annotate(target: AnnotationTarget, scheme: string, value: unknown, revision = 1): this {
    const annotator = this.meta.annotator;
    this.add({ type: 'annotated', by: 'person', annotator, target, scheme, value, revision });
    return this;
  }

  test(outcome: TestOutcome, content = 'OK'): this {
    this.add({
      type: 'test_finished',
      branch: this.cursor.branch,
      after_step: this.cursor.step,
      command: this.meta.task.test_command ?? 'true',
      outcome,
      result: result({ content, duration_ms: 180, exit_code: outcome === 'passed' ? 0 : 1 }),
    });
    return this;
  }
}
