/**
 * What the front end asks of the rest of Espalier. One interface; screens and state know only it.
 */
import type {
  AppError,
  AppEvent,
  AppInfo,
  BlobId,
  BranchId,
  CheckpointId,
  ComparisonView,
  DoctorLine,
  Event as SessionEvent,
  ExportFormat,
  ExportReport,
  FileDiff,
  OllamaModel,
  Op,
  Place,
  ProjectView,
  PullProgress,
  RestorePreview,
  SessionId,
  SavedRecording,
  SessionSummary,
  StepId,
  TaskId,
  TextPage,
  TreeFile,
} from '$lib/bindings';

/** A refused or failed request, with the error as the back end said it. */
export class BackendError extends Error {
  readonly app: AppError;

  constructor(app: AppError) {
    super(app.message);
    this.name = 'BackendError';
    this.app = app;
  }
}

/** Ends a subscription; events that are still under way are dropped. */
export interface Subscription {
  close(): Promise<void>;
}

export interface FileFilter {
  name: string;
  extensions: string[];
}

/** Every request rejects with a `BackendError` when it is refused. */
export interface Backend {
  appInfo(): Promise<AppInfo>;
  watchApp(listener: (event: AppEvent) => void): Promise<void>;
  openProject(path: string): Promise<ProjectView>;
  /** The embedded demo's configuration, unpacked the first time. */
  demoConfig(): Promise<string>;
  /** Makes a task's project directory a git repository with one commit. */
  initialiseRepository(configPath: string, task: TaskId): Promise<void>;
  recentProjects(): Promise<string[]>;
  doctor(configPath: string | null): Promise<DoctorLine[]>;
  /** `model` is another one of the configured Ollama server's. */
  startSession(
    configPath: string,
    task: TaskId,
    annotator: string,
    model: string | null,
  ): Promise<SessionId>;
  ollamaModels(host: string): Promise<OllamaModel[]>;
  /** Lets the server get a model; tells whether it is there, not when it was stopped. */
  pullModel(
    host: string,
    model: string,
    listener: (progress: PullProgress) => void,
  ): Promise<boolean>;
  stopPull(): Promise<void>;
  openSession(session: SessionId): Promise<void>;
  listSessions(): Promise<SessionSummary[]>;
  /** Delivers the session's events from its first on, in order, in batches. */
  subscribe(
    session: SessionId,
    listener: (events: readonly SessionEvent[]) => void,
  ): Promise<Subscription>;
  sendOp(session: SessionId, op: Op): Promise<void>;
  previewRollback(session: SessionId, place: Place): Promise<RestorePreview>;
  compare(session: SessionId, a: BranchId, b: BranchId): Promise<ComparisonView>;
  stepDiff(session: SessionId, step: StepId): Promise<FileDiff[]>;
  checkpointDiff(
    session: SessionId,
    from: CheckpointId | null,
    to: CheckpointId,
  ): Promise<FileDiff[]>;
  treeAt(session: SessionId, checkpoint: CheckpointId): Promise<TreeFile[]>;
  fileAt(session: SessionId, checkpoint: CheckpointId, path: string): Promise<TextPage>;
  textPage(blob: BlobId, offset: number): Promise<TextPage>;
  saveRecording(session: SessionId, file: string): Promise<SavedRecording>;
  exportDataset(inputDir: string, format: ExportFormat, file: string): Promise<ExportReport>;
  /** Asks for a file to open; null when the person thought better of it. */
  pickFile(title: string, filters: FileFilter[]): Promise<string | null>;
  /** Asks where to write a file; null when the person thought better of it. */
  pickTarget(title: string, proposed: string, filters: FileFilter[]): Promise<string | null>;
}
