/** A back end in the page, for looking at screens while they are made. Never part of the app. */
import type {
  AppEvent,
  BranchId,
  ComparisonSide,
  ComparisonView,
  Place,
  ProjectView,
  SessionSummary,
  Step,
} from '$lib/bindings';
import { checkpointAt, locate, pathStepIds, tipPlace } from '$lib/state/path';
import { BackendError, type Backend } from '$lib/transport/backend';
import { scheme, SCHEMES, sessionMeta } from '../src/test/story';
import { FakeSession, refuse } from './fake_session';
import { changesBetween, diffBetween, treeOf } from './files';

const ALL_SCHEMES = [
  ...SCHEMES,
  scheme({
    name: 'problems',
    description: 'What went wrong?',
    kind: 'multiselect',
    answer: 'multiselect',
    target: 'branch',
    labels: ['Wrong file', 'Bent the test', 'Too much', 'Nothing'],
  }),
  scheme({
    name: 'confidence',
    description: 'How sure are you?',
    kind: 'likert',
    answer: 'likert',
    target: 'session',
    labels: [],
    min: 1,
    max: 7,
    min_label: 'Not at all',
    max_label: 'Completely',
  }),
  scheme({
    name: 'quality',
    description: 'Quality of the code',
    kind: 'slider',
    answer: 'slider',
    target: 'session',
    labels: [],
    min: 0,
    max: 100,
    min_label: 'Poor',
    max_label: 'Excellent',
    required: true,
  }),
  scheme({
    name: 'minutes',
    description: 'How many minutes would you have taken?',
    kind: 'number',
    answer: 'number',
    target: 'session',
    labels: [],
    min: 0,
    max: 600,
  }),
];

const DEMO = '/home/ada/espalier/config/demo.yaml';

export interface FakeOptions {
  speed: number;
  initial: string | null;
  remote: string | null;
  problems: boolean;
  /** Steps that a session has when it is started. */
  steps: number;
  /** Whether every kind of question is asked. */
  allSchemes: boolean;
}

export class FakeBackend implements Backend {
  readonly sessions = new Map<string, FakeSession>();
  #app: ((event: AppEvent) => void) | null = null;
  readonly #options: FakeOptions;

  constructor(options: FakeOptions) {
    this.#options = options;
  }

  tell(event: AppEvent): void {
    this.#app?.(event);
  }

  appInfo() {
    return Promise.resolve({
      version: '0.1.0',
      data_dir: '/home/ada/.local/share/espalier',
      annotator: 'ada',
      initial_config: this.#options.initial,
    });
  }

  watchApp(listener: (event: AppEvent) => void) {
    this.#app = listener;
    return Promise.resolve();
  }

  openProject(path: string): Promise<ProjectView> {
    if (path.includes('broken')) {
      return Promise.reject(
        new BackendError({
          code: 'config_invalid',
          message: 'The project configuration does not load: 2 errors.',
          hint: `espalier validate ${path}`,
          details: [
            `${path}:14:5: agentic.live_agnet: unknown key (did you mean live_agent?)`,
            `${path}:22:18: live_agent.max_steps: expected a number, found "many"`,
          ],
          retryable: false,
        }),
      );
    }
    const meta = sessionMeta();
    const summaries = this.#summaries();
    const other = {
      ...meta.task,
      id: 'demo_002',
      description:
        'Let parse() keep the last value when a key is given twice, and say so in the docstring. Add a test for it.',
    };
    return Promise.resolve({
      config_path: path,
      settings: meta.settings,
      display: {
        diff_style: 'unified',
        diff_context_lines: 3,
        syntax_highlight: true,
        show_line_numbers: true,
        terminal_theme: 'dark',
        file_tree: true,
        file_tree_position: 'left',
        file_tree_click_to_navigate: true,
      },
      tasks: [meta.task, other].map((task) => ({
        task,
        sessions: summaries.filter((session) => session.task === task.id),
      })),
      problems: this.#options.problems
        ? [
            {
              code: 'model_missing',
              message: 'Ollama has no model qwen2.5-coder:7b.',
              hint: 'ollama pull qwen2.5-coder:7b',
              details: [],
              retryable: true,
            },
          ]
        : [],
      remote_host: this.#options.remote,
      is_recording: this.#options.remote === null,
    });
  }

  #summaries(): SessionSummary[] {
    return [...this.sessions.values()].map(({ story, tree }) => ({
      id: story.meta.id,
      task: story.meta.task.id,
      task_name: story.meta.settings.task_name,
      annotator: story.meta.annotator,
      config_path: DEMO,
      project_dir: story.meta.task.project_dir,
      state: tree.state ?? { state: 'preparing' },
      steps: tree.steps.size,
      branches: tree.branches.length,
      created_at: story.meta.created_at,
      updated_at: tree.updatedAt,
    }));
  }

  demoConfig() {
    return Promise.resolve(DEMO);
  }

  ollamaModels() {
    return Promise.resolve([]);
  }

  pullModel() {
    return Promise.resolve(true);
  }

  stopPull() {
    return Promise.resolve();
  }

  initialiseRepository() {
    return Promise.resolve();
  }

  recentProjects() {
    return Promise.resolve([DEMO, '/home/ada/work/labelling/claude-parser.yaml']);
  }

  doctor() {
    return Promise.resolve([
      { name: 'git', ok: true, text: 'git 2.47.3', mend: '' },
      {
        name: 'Ollama',
        ok: false,
        text: 'no server at http://localhost:11434',
        mend: 'ollama serve',
      },
      {
        name: 'Anthropic key',
        ok: false,
        text: 'ANTHROPIC_API_KEY is not set',
        mend: 'export ANTHROPIC_API_KEY="sk-ant-..."',
      },
      { name: 'data folder', ok: true, text: '/home/ada/.local/share/espalier', mend: '' },
    ]);
  }

  startSession(_config: string, task: string, annotator: string) {
    if (annotator === '') {
      return Promise.reject(refuse('An annotator name is needed.'));
    }
    const id = `k3v9x0q2a${this.sessions.size}`;
    const meta = sessionMeta();
    const session = new FakeSession(
      {
        id,
        annotator,
        task: { ...meta.task, id: task },
        settings: {
          ...meta.settings,
          schemes: this.#options.allSchemes ? ALL_SCHEMES : meta.settings.schemes,
        },
      },
      this.#options.speed,
    );
    this.sessions.set(id, session);
    if (this.#options.steps > 0) session.fill(this.#options.steps);
    return Promise.resolve(id);
  }

  openSession(id: string) {
    const session = this.#session(id);
    if (session.tree.state?.state === 'parked') {
      session.story.add({
        type: 'notice',
        code: 'files_brought_again',
        text: "The session's files are in the project again (1 changed).",
      });
      session.story.state({ state: 'paused', reason: { kind: 'requested' } });
      session.flush();
    }
    return Promise.resolve();
  }

  listSessions() {
    const meta = sessionMeta();
    const earlier: SessionSummary = {
      id: 'p0zq81xk3m',
      task: 'task_007',
      task_name: 'Claude on the parser',
      annotator: 'ada',
      config_path: '/home/ada/work/labelling/claude-parser.yaml',
      project_dir: '/home/ada/work/parser',
      state: { state: 'parked' },
      steps: 14,
      branches: 3,
      created_at: meta.created_at,
      updated_at: Date.now() - 86_400_000 * 2,
    };
    return Promise.resolve([...this.#summaries(), earlier]);
  }

  subscribe(id: string, listener: Parameters<Backend['subscribe']>[1]) {
    this.#session(id).subscribe(listener);
    return Promise.resolve({ close: () => Promise.resolve() });
  }

  sendOp(id: string, op: Parameters<Backend['sendOp']>[1]) {
    return this.#session(id).op(op);
  }

  previewRollback(id: string, place: Place) {
    const { tree, files } = this.#at(id);
    const target = checkpointAt(tree, place)?.id ?? '';
    const cursor = tree.cursor ?? place;
    const kept = pathStepIds(tree, place);
    const gone = pathStepIds(tree, cursor).filter((step) => !kept.includes(step));
    return Promise.resolve({
      target,
      files: diffBetween(files(tree.lastCheckpoint?.id ?? ''), files(target)),
      edited_by_hand: [],
      uncaptured: [],
      steps_undone: gone.length,
    });
  }

  compare(id: string, a: BranchId, b: BranchId): Promise<ComparisonView> {
    const { tree, files } = this.#at(id);
    const pathOf = (branch: BranchId) => pathStepIds(tree, tipPlace(tree, branch));
    const [pathA, pathB] = [pathOf(a), pathOf(b)];
    let shared = -1;
    while (pathA[shared + 1] !== undefined && pathA[shared + 1] === pathB[shared + 1]) shared += 1;
    const fork = checkpointAt(tree, { branch: a, step: shared })?.id ?? '';
    const tip = (branch: BranchId) => checkpointAt(tree, tipPlace(tree, branch))?.id ?? '';
    const side = (branch: BranchId, path: string[]): ComparisonSide => {
      const steps = path.slice(shared + 1).flatMap((step): Step[] => {
        const found = tree.steps.get(step);
        return found ? [found] : [];
      });
      const changes = changesBetween(files(fork), files(tip(branch)));
      const sum = (of: (step: Step) => number) => steps.reduce((all, step) => all + of(step), 0);
      return {
        steps: steps.length,
        test: tree.branches.find((one) => one.id === branch)?.tests.at(-1)?.outcome ?? null,
        working_ms: sum((step) => step.model_ms + (step.result?.duration_ms ?? 0)),
        input_tokens: sum((step) => step.usage.input_tokens),
        output_tokens: sum((step) => step.usage.output_tokens),
        cost_micro_usd: null,
        changed_files: changes.length,
        added_lines: changes.reduce((all, change) => all + (change.added_lines ?? 0), 0),
        removed_lines: changes.reduce((all, change) => all + (change.removed_lines ?? 0), 0),
      };
    };
    return Promise.resolve({
      a,
      b,
      shared_step: shared,
      same_start: true,
      files: diffBetween(files(tip(a)), files(tip(b))),
      side_a: side(a, pathA),
      side_b: side(b, pathB),
    });
  }

  stepDiff(id: string, step: string) {
    const { tree, files } = this.#at(id);
    const at = locate(tree, step);
    const after = tree.steps.get(step)?.checkpoint;
    if (!at || !after?.created) return Promise.resolve([]);
    const before = checkpointAt(tree, { ...at, step: at.step - 1 })?.id ?? '';
    return Promise.resolve(diffBetween(files(before), files(after.id)));
  }

  checkpointDiff(id: string, from: string | null, to: string) {
    const { files } = this.#at(id);
    return Promise.resolve(diffBetween(from === null ? new Map() : files(from), files(to)));
  }

  treeAt(id: string, checkpoint: string) {
    return Promise.resolve(treeOf(this.#at(id).files(checkpoint)));
  }

  fileAt(id: string, checkpoint: string, path: string) {
    const text = this.#at(id).files(checkpoint).get(path) ?? '';
    return Promise.resolve({ text, next_offset: null, total_bytes: text.length });
  }

  textPage(_blob: string, offset: number) {
    const text = Array.from({ length: 400 }, (_, i) => `line ${offset + i}`).join('\n');
    return Promise.resolve({
      text,
      next_offset: offset < 2000 ? offset + text.length : null,
      total_bytes: 9000,
    });
  }

  exportDataset(_input: string, _format: string, file: string) {
    return Promise.resolve({ file, sessions: 1, records: 1, notes: [] });
  }

  saveRecording(_session: string, file: string) {
    return Promise.resolve({ file, redacted: 2, left_out: [] });
  }

  pickFile() {
    return Promise.resolve(DEMO);
  }

  pickTarget(_title: string, proposed: string) {
    return Promise.resolve(proposed);
  }

  #session(id: string): FakeSession {
    const session = this.sessions.get(id);
    if (!session) throw refuse(`There is no session ${id}.`);
    return session;
  }

  #at(id: string) {
    const session = this.#session(id);
    return { tree: session.tree, files: (checkpoint: string) => session.files(checkpoint) };
  }
}
