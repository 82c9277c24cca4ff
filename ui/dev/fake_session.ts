/**
 * A session that is played in the page, for looking at screens while they are made. It follows the
 * demo's recording, and answers operations roughly as the engine does. Never part of the app.
 */
import type {
  Block,
  Checkpoint,
  Event as SessionEvent,
  Op,
  Place,
  SessionMeta,
  Step,
  StepKind,
  StepResult,
} from '$lib/bindings';
import { branchesAt, instructionWaits, locate, owner, pathStepIds, tipStep } from '$lib/state/path';
import { fold } from '$lib/state/reduce';
import { EMPTY_TREE, type SessionTree } from '$lib/state/tree';
import { BackendError } from '$lib/transport/backend';
import { Story } from '../src/test/story';
import recording from '../../data/recordings/demo.json';
import { changesBetween, PROJECT, runTests, type Files } from './files';

interface Call {
  tool: string;
  input: Record<string, string>;
}
interface Turn {
  thinking?: string;
  text?: string;
  calls?: Call[];
  ms?: number;
  input_tokens?: number;
  output_tokens?: number;
}
interface RecordedBranch {
  id: string;
  parent?: string;
  after_step?: number;
  instruction?: string;
  turns: Turn[];
}

const BRANCHES = recording.branches as unknown as RecordedBranch[];
const KINDS: Record<string, StepKind> = {
  read_file: 'file_read',
  edit_file: 'edit',
  write_file: 'write',
  bash: 'terminal',
  glob: 'glob',
  grep: 'grep',
};

export function refuse(message: string, hint = ''): BackendError {
  return new BackendError({ code: 'not_now', message, hint, details: [], retryable: false });
}

export class FakeSession {
  readonly story: Story;
  tree: SessionTree = EMPTY_TREE;
  readonly snapshots = new Map<string, Files>();
  #files: Files = PROJECT;
  #listener: ((events: readonly SessionEvent[]) => void) | null = null;
  #sent = 0;
  /** Ends the run that goes on. */
  #run = 0;
  #turns: Turn[] = [];
  #turn = 0;
  #recorded: RecordedBranch | undefined;
  /** 1 is as recorded; larger is faster. */
  readonly #speed: number;
  #checkpoints = 0;

  constructor(meta: Partial<SessionMeta>, speed: number) {
    this.story = new Story({ created_at: Date.now(), ...meta });
    this.#speed = speed;
    this.story.add({ type: 'session_created', meta: this.story.meta });
    this.story.branch('main', 'root', null, -1);
    const base = this.#checkpoint(PROJECT, PROJECT);
    this.story.add({
      type: 'checkpoint_recorded',
      cause: 'base',
      at: this.story.cursor,
      checkpoint: base,
    });
    this.story.state({ state: 'paused', reason: { kind: 'not_started' } });
    this.#recorded = BRANCHES.find((branch) => branch.id === 'main');
    this.#turns = this.#recorded?.turns ?? [];
    this.flush();
  }

  subscribe(listener: (events: readonly SessionEvent[]) => void): void {
    this.#listener = listener;
    const past = this.story.events.slice(0, this.#sent);
    queueMicrotask(() => {
      listener(past);
    });
  }

  flush(): void {
    const events = this.story.events.slice(this.#sent);
    this.#sent = this.story.events.length;
    if (events.length === 0) return;
    this.tree = fold(this.tree, events).tree;
    this.#listener?.(events);
  }

  #now(): Story {
    this.story.at = Date.now();
    return this.story;
  }

  #checkpoint(from: Files, to: Files): Checkpoint {
    const changes = changesBetween(from, to);
    const created = changes.length > 0 || this.#checkpoints === 0;
    if (created) this.#checkpoints += 1;
    const id = this.#checkpoints.toString(16).padStart(4, '0').padEnd(40, 'c');
    this.snapshots.set(id, to);
    return {
      id,
      tree: id,
      created,
      changes,
      uncaptured: [],
      uncaptured_total: 0,
      full_scan: false,
    };
  }

  /** Many steps at once, for looking at long sessions. */
  fill(count: number): void {
    const { story } = this;
    this.#now().run();
    const text = 'I look at the next part. `parse` reads line after line.\n\nThen I go on.';
    for (let i = 0; i < count; i += 1) {
      const content = Array.from({ length: 5 + (i % 17) }, (_, n) => `line ${n} of ${i}`).join(
        '\n',
      );
      story.step({
        kind: i % 3 === 0 ? 'terminal' : 'file_read',
        tool: i % 3 === 0 ? 'bash' : 'read_file',
        target: i % 3 === 0 ? `make part-${i}` : `src/part_${i}.py`,
        text: i % 2 === 0 ? text : '',
        thinking: i % 4 === 0 ? text.repeat(3) : '',
        result: { content },
      });
    }
    story.state({ state: 'paused', reason: { kind: 'requested' } });
    this.flush();
    this.#turn = 0;
  }

  files(checkpoint: string): Files {
    return this.snapshots.get(checkpoint) ?? PROJECT;
  }

  async op(op: Op): Promise<void> {
    const { state } = this.tree;
    switch (op.op) {
      case 'resume':
        if (state?.state === 'ended' && !instructionWaits(this.tree)) {
          throw refuse('The agent has ended its run on this branch.', 'Branch, or finish.');
        }
        this.#now();
        if (state?.state !== 'paused' || state.reason.kind !== 'not_started') {
          this.story.intervene({ kind: 'resume' });
        }
        this.#settle(null);
        this.#go();
        break;
      case 'pause':
        this.#now().intervene({ kind: 'pause' }).state({ state: 'pausing' });
        break;
      case 'stop':
        this.#run += 1;
        this.#now().intervene({ kind: 'stop' });
        this.story.show({ type: 'deltas_reset' });
        this.story.state({ state: 'paused', reason: { kind: 'stopped' } });
        break;
      case 'instruct':
        this.#now();
        if (this.tree.pendingRollback) this.#settle(op.text);
        else {
          this.story.intervene({
            kind: 'instruct',
            text: op.text,
            inject_as: this.story.meta.settings.controls.inject_as,
          });
          this.flush();
          this.#choose(op.text);
        }
        break;
      case 'rollback':
        await this.#move(op.to, { kind: 'rollback' });
        break;
      case 'undo_rollback': {
        const point = this.tree.undo.at(-1);
        if (!point) throw refuse('There is no rollback to undo.');
        const to = (point.step === null ? null : locate(this.tree, point.step)) ?? point.from;
        await this.#move(to, { kind: 'undo_rollback' });
        break;
      }
      case 'branch':
        if (branchesAt(this.tree, op.from) >= this.story.meta.settings.controls.max_branches) {
          throw refuse('The checkpoint has as many branches as the configuration allows.');
        }
        await this.#move(op.from, { kind: 'branch', text: op.instruction, name: op.name });
        this.#go();
        break;
      case 'annotate': {
        const key = { ...op };
        const known = this.tree.answers.get(JSON.stringify(key.target))?.get(op.scheme);
        this.#now().annotate(op.target, op.scheme, op.value, (known?.revision ?? 0) + 1);
        break;
      }
      case 'run_tests':
        await this.#test();
        break;
      case 'checkpoint_now':
      case 'edit_call':
      case 'refuse_call':
      case 'focus':
      case 'close_worktree':
        // Its branches run one after the other, and nobody edits its files.
        break;
      case 'continue_with':
        this.#now().intervene({ kind: 'continue_with', backend: op.backend });
        this.story.state({ state: 'running' });
        this.#fail(op.backend.backend === 'ollama' ? op.backend.host : '');
        break;
      case 'park':
        this.#run += 1;
        this.#now().state({ state: 'parked' });
        break;
      case 'finish':
        this.#run += 1;
        this.#now().state({ state: 'finished', kept: op.keep });
        break;
    }
    this.flush();
  }

  /** A model server that is not there: retried twice, then the session pauses. */
  #fail(host: string): void {
    const error = {
      code: 'backend_unreachable' as const,
      message: `Connection refused at ${host}.`,
      hint: 'ollama serve',
      details: [],
      retryable: true,
    };
    const waits = [4000, 8000];
    const again = (attempt: number): void => {
      const wait = waits[attempt - 1];
      this.#now().add({ type: 'provider_failed', error, attempt, retry_in_ms: wait ?? null });
      if (wait === undefined) {
        this.story.state({ state: 'paused', reason: { kind: 'provider_failed', error } });
      } else {
        setTimeout(() => {
          again(attempt + 1);
        }, wait);
      }
      this.flush();
    };
    again(1);
  }

  #go(): void {
    this.#now().run();
    this.flush();
    this.#run += 1;
    void this.#play(this.#run);
  }

  #settle(instruction: string | null): void {
    const { pendingRollback: pending } = this.tree;
    if (!pending) return;
    const { to } = pending;
    if (instruction !== null) {
      const id = this.#nextBranch();
      this.story.branch(id, 'instructed', to.branch, to.step, instruction);
      this.flush();
      this.#choose(instruction);
    } else if (tipStep(this.tree, to.branch) > to.step) {
      const count = this.tree.branches.filter((branch) => branch.kind === 'abandoned').length;
      this.story.abandon(to.branch, to.step, `abandoned_${count + 1}`);
    }
    this.flush();
  }

  #nextBranch(): string {
    const made = this.tree.branches.filter((branch) => branch.kind === 'instructed').length;
    return `branch_${made + 1}`;
  }

  /** Takes the recorded branch that begins here with this instruction. */
  #choose(instruction: string): void {
    const { cursor } = this.tree;
    const wanted = instruction.trim().toLowerCase();
    const found = BRANCHES.find(
      (branch) =>
        branch.instruction?.trim().toLowerCase() === wanted && branch.after_step === cursor?.step,
    );
    this.#recorded = found;
    this.#turns = found?.turns ?? [];
    this.#turn = 0;
  }

  async #move(
    place: Place,
    what:
      | { kind: 'rollback' | 'undo_rollback' }
      | { kind: 'branch'; text: string; name: string | null },
  ): Promise<void> {
    this.#run += 1;
    const from = this.tree.cursor ?? { branch: 'main', step: -1 };
    const to = owner(this.tree, place);
    this.#now().state({ state: 'restoring' });
    this.flush();
    await this.#wait(500);
    const id = what.kind === 'branch' ? (what.name ?? this.#nextBranch()) : '';
    this.story.intervene(
      what.kind === 'branch'
        ? { kind: 'branch', from, to, branch: id, instruction: what.text }
        : { kind: what.kind, from, to },
    );
    const target = this.#checkpointAt(to);
    this.story.add({ type: 'restore_started', from, to, before: '', target });
    this.story.add({ type: 'restore_finished', changed: 1, left_alone: [] });
    this.story.cursor = to;
    this.story.add({ type: 'cursor_moved', to });
    this.#files = this.files(target);
    if (what.kind === 'branch') {
      this.story.branch(id, 'instructed', to.branch, to.step, what.text);
      this.flush();
      this.#choose(what.text);
      return;
    }
    // After a plain rollback the recording goes on from that turn of the branch.
    this.#recorded = BRANCHES.find((branch) => branch.id === (to.branch === 'main' ? 'main' : ''));
    this.#turns = this.#recorded?.turns ?? [];
    this.#turn = to.step + 1;
    this.#now().state({ state: 'paused', reason: { kind: 'rolled_back' } });
    this.flush();
  }

  #checkpointAt(place: Place): string {
    for (const id of pathStepIds(this.tree, place).reverse()) {
      const checkpoint = this.tree.steps.get(id)?.checkpoint;
      if (checkpoint) return checkpoint.id;
    }
    return this.tree.base?.id ?? '';
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms / this.#speed));
  }

  async #play(run: number): Promise<void> {
    const over = (): boolean => run !== this.#run;
    for (;;) {
      const turn = this.#turns[this.#turn];
      if (!turn) {
        this.#recordingEnded();
        return;
      }
      this.#turn += 1;
      await this.#stream(turn, over);
      if (over()) return;
      const closing = await this.#message(turn, over);
      if (over()) return;
      if (closing) {
        await this.#test();
        return;
      }
      if (this.#pauseIfAsked()) return;
    }
  }

  #pauseIfAsked(): boolean {
    if (this.tree.state?.state !== 'pausing') return false;
    this.#now().state({ state: 'paused', reason: { kind: 'requested' } });
    this.flush();
    return true;
  }

  #recordingEnded(): void {
    const step = this.tree.cursor?.step ?? -1;
    const here = BRANCHES.filter((branch) => branch.after_step === step);
    const known = here.length > 0 ? here : BRANCHES.filter((branch) => branch.instruction);
    const instructions = known.flatMap((branch) => branch.instruction ?? []);
    this.#now().state({ state: 'paused', reason: { kind: 'recording_ended', instructions } });
    this.flush();
  }

  async #stream(turn: Turn, over: () => boolean): Promise<void> {
    const words = (text: string) => text.split(/(?<=\s)/);
    const think = words(turn.thinking ?? '');
    const speak = words(turn.text ?? '');
    const pause = (turn.ms ?? 800) / (think.length + speak.length);
    for (const word of think) {
      if (over()) return;
      if (word) this.#now().show({ type: 'thinking_delta', text: word });
      this.flush();
      await this.#wait(pause);
    }
    for (const word of speak) {
      if (over()) return;
      if (word) this.#now().show({ type: 'text_delta', text: word });
      this.flush();
      await this.#wait(pause);
    }
  }

  async #message(turn: Turn, over: () => boolean): Promise<boolean> {
    const blocks: Block[] = [];
    const calls = turn.calls ?? [];
    if (turn.thinking) blocks.push({ kind: 'thinking', text: turn.thinking, raw: null });
    if (turn.text) blocks.push({ kind: 'text', text: turn.text, raw: null });
    const name = `m${this.story.messages}`;
    calls.forEach((call, i) => {
      blocks.push({
        kind: 'tool_call',
        call_id: `${name}-c${i}`,
        name: call.tool,
        input: call.input,
        raw: null,
      });
    });
    const message = this.#now().message(blocks, {
      input_tokens: turn.input_tokens ?? 0,
      output_tokens: turn.output_tokens ?? 0,
      cached_tokens: 0,
      cache_write_tokens: 0,
    });
    if (calls.length === 0) {
      const step = this.story.start(message, 0, { kind: 'message' });
      this.#finish(step, { content: turn.text ?? '', duration_ms: 0 });
      return true;
    }
    for (const [i, call] of calls.entries()) {
      await this.#step(message, i, call, over);
      if (over()) return false;
    }
    return false;
  }

  async #step(message: string, i: number, call: Call, over: () => boolean): Promise<void> {
    const { input } = call;
    const target = input['path'] ?? input['command'] ?? input['pattern'] ?? '';
    const step = this.#now().start(message, i, {
      kind: KINDS[call.tool] ?? 'tool',
      tool: call.tool,
      target,
      input,
    });
    this.flush();
    const began = Date.now();
    let result: Partial<StepResult>;
    if (call.tool === 'read_file') {
      await this.#wait(60);
      const lines = (this.#files.get(target) ?? '').split('\n');
      result = {
        content: lines.map((line, n) => `${String(n + 1).padStart(6)}\t${line}`).join('\n'),
      };
    } else if (call.tool === 'edit_file') {
      await this.#wait(80);
      const text = this.#files.get(target) ?? '';
      const next = text.replace(input['old_string'] ?? '', () => input['new_string'] ?? '');
      const files = new Map(this.#files);
      files.set(target, next);
      this.#files = files;
      result = { content: `Edited ${target}.` };
    } else {
      const { output, passed } = runTests(this.#files);
      for (const line of output.split(/(?<=\n)/)) {
        if (over()) return;
        this.#now().show({ type: 'output_delta', step: step.id, stream: 'stderr', text: line });
        this.flush();
        await this.#wait(90);
      }
      result = {
        content: `${output}[Exit code ${passed ? 0 : 1}]`,
        status: passed ? 'ok' : 'command_failed',
        exit_code: passed ? 0 : 1,
      };
    }
    if (over()) return;
    this.#finish(step, { ...result, duration_ms: Date.now() - began });
  }

  #finish(step: Step, result: Partial<StepResult>): void {
    const before = this.files(this.tree.lastCheckpoint?.id ?? '');
    const checkpoint = this.#checkpoint(before, this.#files);
    const content = result.content ?? '';
    this.#now().add({
      type: 'step_finished',
      step: step.id,
      result: {
        status: 'ok',
        full_output: null,
        exit_code: null,
        duration_ms: 0,
        ...result,
        content,
        output_bytes: content.length,
      },
      checkpoint,
      conversation_hash: '',
    });
    this.flush();
  }

  async #test(): Promise<void> {
    this.#now().state({ state: 'testing' });
    this.flush();
    await this.#wait(700);
    const { output, passed } = runTests(this.#files);
    this.#now().test(passed ? 'passed' : 'failed', output);
    this.story.state({ state: 'ended', reason: 'completed' });
    this.flush();
  }
}
