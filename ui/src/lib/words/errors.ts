/** From an error's code to what the screen says and offers. Never looks at the error's text. */
import type { AppError, ErrorCode } from '$lib/bindings';
import * as m from '$paraglide/messages';
import { baseLocale, getLocale } from '$paraglide/runtime';

/** What the screen can offer to do about it. */
export type Remedy = 'try_again' | 'check_machine' | null;

interface ErrorWords {
  /** What kind of thing went wrong, in a few words. */
  readonly title: () => string;
  readonly remedy: Remedy;
}

const TABLE: Readonly<Record<ErrorCode, ErrorWords>> = {
  config_invalid: { title: m.error_config_invalid, remedy: 'try_again' },
  task_invalid: { title: m.error_task_invalid, remedy: 'try_again' },
  not_built: { title: m.error_not_built, remedy: null },
  usage: { title: m.error_usage, remedy: null },
  backend_unreachable: { title: m.error_backend_unreachable, remedy: 'check_machine' },
  model_missing: { title: m.error_model_missing, remedy: 'check_machine' },
  model_without_tools: { title: m.error_model_without_tools, remedy: null },
  backend_auth: { title: m.error_backend_auth, remedy: 'check_machine' },
  backend_refused: { title: m.error_backend_refused, remedy: 'try_again' },
  backend_busy: { title: m.error_backend_busy, remedy: 'try_again' },
  backend_broken: { title: m.error_backend_broken, remedy: 'try_again' },
  backend_timeout: { title: m.error_backend_timeout, remedy: 'try_again' },
  context_full: { title: m.error_context_full, remedy: null },
  recording_ended: { title: m.error_recording_ended, remedy: null },
  agent_died: { title: m.error_agent_died, remedy: 'try_again' },
  not_a_repository: { title: m.error_not_a_repository, remedy: 'try_again' },
  repository_unusable: { title: m.error_repository_unusable, remedy: 'try_again' },
  dirty_working_dir: { title: m.error_dirty_working_dir, remedy: 'try_again' },
  project_locked: { title: m.error_project_locked, remedy: 'try_again' },
  checkpoint_failed: { title: m.error_checkpoint_failed, remedy: 'try_again' },
  restore_failed: { title: m.error_restore_failed, remedy: 'try_again' },
  disk_full: { title: m.error_disk_full, remedy: 'try_again' },
  store_failed: { title: m.error_store_failed, remedy: 'try_again' },
  store_too_new: { title: m.error_store_too_new, remedy: null },
  unknown: { title: m.error_unknown, remedy: null },
  not_now: { title: m.error_not_now, remedy: null },
  control_off: { title: m.error_control_off, remedy: null },
  branch_limit: { title: m.error_branch_limit, remedy: null },
  annotation_invalid: { title: m.error_annotation_invalid, remedy: null },
  export_empty: { title: m.error_export_empty, remedy: null },
  script_failed: { title: m.error_script_failed, remedy: null },
  io: { title: m.error_io, remedy: 'try_again' },
  internal: { title: m.error_internal, remedy: null },
};

/** What happened, in one sentence. The back end's own sentence is English; in other languages it
 * follows what kind of thing went wrong. */
export function errorSentence({ code, message }: Pick<AppError, 'code' | 'message'>): string {
  const title = TABLE[code].title();
  if (message === '') return title;
  return getLocale() === baseLocale ? message : `${title}: ${message}`;
}

export function errorRemedy(code: ErrorCode): Remedy {
  return TABLE[code].remedy;
}
