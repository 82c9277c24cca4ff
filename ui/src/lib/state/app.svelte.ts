/** Which screen is shown, and what the app knows besides sessions. */
import type { AppError, AppInfo, ProjectView, SessionId } from '$lib/bindings';
import type { Backend } from '$lib/transport/backend';
import { ModelChoice } from './models.svelte';
import { preferences } from './preferences.svelte';
import { asAppError, SessionModel } from './session.svelte';
import { toasts } from './toasts.svelte';
import { SessionView } from './view.svelte';

export type Screen = 'start' | 'project' | 'session';

export class AppModel {
  readonly backend: Backend;
  screen = $state<Screen>('start');
  info = $state.raw<AppInfo | null>(null);
  project = $state.raw<ProjectView | null>(null);
  session = $state.raw<SessionView | null>(null);
  /** What is being waited for, in the screen's words; null when nothing is. */
  busy = $state<'project' | 'session' | null>(null);
  /** Why the last configuration did not open. */
  openError = $state.raw<{ path: string; error: AppError } | null>(null);
  /** The models to choose from, where the project's backend is an Ollama server. */
  models = $state.raw<ModelChoice | null>(null);
  /** A task whose project directory has to become a git repository first. */
  unversioned = $state.raw<{ task: string; error: AppError } | null>(null);
  /** How far the first look at a project's files is, while a session is opened. */
  looking = $state.raw<{ done: number; total: number | null } | null>(null);
  /** Sessions that are being saved while the window closes. */
  closing = $state<number | null>(null);

  constructor(backend: Backend) {
    this.backend = backend;
  }

  async start(): Promise<void> {
    try {
      await this.backend.watchApp((event) => {
        switch (event.type) {
          case 'config_dropped':
            void this.openProject(event.path);
            break;
          case 'looking':
            this.looking = { done: event.done, total: event.total };
            break;
          case 'closing':
            this.closing = event.sessions;
            break;
          case 'problem':
            toasts.error(event.error);
            break;
        }
      });
      this.info = await this.backend.appInfo();
    } catch (fault) {
      toasts.error(asAppError(fault));
      return;
    }
    if (preferences.annotator === '') preferences.annotator = this.info.annotator;
    if (this.info.initial_config !== null) await this.openProject(this.info.initial_config);
  }

  /** Opens a configuration and shows its tasks. A session on screen is left as it is. */
  async openProject(path: string): Promise<void> {
    if (this.busy !== null) return;
    this.busy = 'project';
    this.openError = null;
    try {
      this.project = await this.backend.openProject(path);
      this.models = this.#modelsOf(this.project);
      await this.#closeSession();
      this.screen = 'project';
    } catch (fault) {
      this.openError = { path, error: asAppError(fault) };
      if (this.screen === 'session') toasts.error(asAppError(fault));
      else this.screen = 'start';
    } finally {
      this.busy = null;
    }
  }

  #modelsOf(project: ProjectView): ModelChoice | null {
    const { backend } = project.settings;
    if (backend.backend !== 'ollama') return null;
    return new ModelChoice(backend.host, backend.model, this.backend);
  }

  /** Opens the embedded demo; the first time it is unpacked. */
  async openDemo(): Promise<void> {
    try {
      await this.openProject(await this.backend.demoConfig());
    } catch (fault) {
      toasts.error(asAppError(fault));
    }
  }

  /** Asks for what was done on the tasks once more. */
  async refreshProject(): Promise<void> {
    if (!this.project) return;
    try {
      this.project = await this.backend.openProject(this.project.config_path);
    } catch (fault) {
      toasts.error(asAppError(fault));
    }
  }

  async startSession(task: string): Promise<void> {
    const { project } = this;
    if (!project) return;
    await this.#enter(
      () =>
        this.backend.startSession(
          project.config_path,
          task,
          preferences.annotator.trim(),
          this.models?.override ?? null,
        ),
      (error) => {
        if (error.code !== 'not_a_repository') return false;
        this.unversioned = { task, error };
        return true;
      },
    );
  }

  /** Makes the task's project directory a git repository, and starts. */
  async initialiseAndStart(): Promise<void> {
    const { project, unversioned } = this;
    if (!project || !unversioned) return;
    try {
      await this.backend.initialiseRepository(project.config_path, unversioned.task);
    } catch (fault) {
      this.unversioned = { ...unversioned, error: asAppError(fault) };
      return;
    }
    this.unversioned = null;
    await this.startSession(unversioned.task);
  }

  /** Opens a stored session; its project's configuration too, where it is another's. */
  async resumeSession(session: SessionId, configPath: string): Promise<void> {
    if (this.project?.config_path !== configPath) {
      try {
        this.project = await this.backend.openProject(configPath);
      } catch {
        // The configuration is gone or broken; the session has its own settings.
        this.project = null;
      }
    }
    await this.#enter(async () => {
      await this.backend.openSession(session);
      return session;
    });
  }

  /** Opens a session and shows it. `answer` may deal with an error by itself. */
  async #enter(
    open: () => Promise<SessionId>,
    answer: (error: AppError) => boolean = () => false,
  ): Promise<void> {
    if (this.busy !== null) return;
    this.busy = 'session';
    this.looking = null;
    try {
      const id = await open();
      await this.#closeSession();
      const session = new SessionModel(id, this.backend);
      await session.connect();
      this.session = new SessionView(session, this.project?.display ?? null);
      this.screen = 'session';
    } catch (fault) {
      const error = asAppError(fault);
      if (!answer(error)) toasts.error(error);
    } finally {
      this.busy = null;
    }
  }

  /** Back to the project's tasks, or to the start where the project is gone. */
  async leaveSession(): Promise<void> {
    this.screen = this.project ? 'project' : 'start';
    await this.#closeSession();
    await this.refreshProject();
  }

  goToStart(): void {
    this.screen = 'start';
    this.project = null;
    this.openError = null;
  }

  async #closeSession(): Promise<void> {
    const { session } = this;
    this.session = null;
    await session?.session.close();
  }
}
