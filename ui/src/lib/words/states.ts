/** The session's state and what it waits for, in words. Every state has its own plain sentence. */
import type { AppError, BackendSettings, PauseReason, SessionState } from '$lib/bindings';
import { tokens } from './format';
import * as m from '$paraglide/messages';

export type StateTone =
  'preparing' | 'running' | 'pausing' | 'paused' | 'waiting' | 'failed' | 'done';

export interface StateWords {
  readonly tone: StateTone;
  /** One or two words, for the badge. */
  readonly label: string;
  /** What is going on and what can be done. */
  readonly sentence: string;
  /** The error behind it. */
  readonly error: AppError | null;
}

export function stateWords(state: SessionState | null): StateWords {
  switch (state?.state) {
    case undefined:
    case 'preparing':
      return words('preparing', m.state_preparing(), m.state_preparing_sentence());
    case 'running':
      return words('running', m.state_running(), m.state_running_sentence());
    case 'pausing':
      return words('pausing', m.state_pausing(), m.state_pausing_sentence());
    case 'paused':
      return pausedWords(state.reason);
    case 'restoring':
      return words('preparing', m.state_restoring(), m.state_restoring_sentence());
    case 'testing':
      return words('running', m.state_testing(), m.state_testing_sentence());
    case 'ended':
      return state.reason === 'loop'
        ? words('waiting', m.state_ended_loop(), m.state_ended_loop_sentence())
        : words('done', m.state_ended(), m.state_ended_sentence());
    case 'parked':
      return words('waiting', m.state_parked(), m.state_parked_sentence());
    case 'finished':
      return words(
        'done',
        m.state_finished(),
        state.kept ? m.state_finished_kept_sentence() : m.state_finished_sentence(),
      );
  }
}

function words(
  tone: StateTone,
  label: string,
  sentence: string,
  error: AppError | null = null,
): StateWords {
  return { tone, label, sentence, error };
}

function pausedWords(reason: PauseReason): StateWords {
  const paused = m.state_paused();
  switch (reason.kind) {
    case 'requested':
      return words('paused', paused, m.pause_requested());
    case 'step_failed':
      return words('paused', paused, m.pause_step_failed());
    case 'after_steps':
      return words('paused', paused, m.pause_after_steps({ count: reason.steps }));
    case 'loop':
      return words('waiting', m.state_loop(), m.pause_loop({ count: reason.count }));
    case 'max_steps':
      return words('waiting', m.state_limit(), m.pause_max_steps({ count: reason.steps }));
    case 'context_nearly_full':
      return words(
        'waiting',
        m.state_context(),
        m.pause_context({
          used: tokens(reason.used_tokens),
          window: tokens(reason.window_tokens),
        }),
      );
    case 'provider_failed':
      return words('failed', m.state_failed(), m.pause_provider_failed(), reason.error);
    case 'checkpoint_failed':
      return words('failed', m.state_failed(), m.pause_checkpoint_failed(), reason.error);
    case 'agent_died':
      return words('failed', m.state_failed(), m.pause_agent_died(), reason.error);
    case 'recording_ended':
      return words('waiting', m.state_recording_ended(), m.pause_recording_ended());
    case 'rolled_back':
      return words('paused', paused, m.pause_rolled_back());
    case 'stopped':
      return words('paused', m.state_stopped(), m.pause_stopped());
    case 'recovered':
      return words('paused', paused, m.pause_recovered());
    case 'not_started':
      return words('waiting', m.state_not_started(), m.pause_not_started());
  }
}

/** The backend and its model, in a few words. */
export function backendWords(backend: BackendSettings): string {
  switch (backend.backend) {
    case 'ollama':
      return `Ollama · ${backend.model}`;
    case 'anthropic':
      return `Anthropic · ${backend.model}`;
    case 'claude_agent_sdk':
      return backend.model === null ? 'Claude Code' : `Claude Code · ${backend.model}`;
    case 'replay':
      return m.backend_replay();
  }
}

const THIS_MACHINE = new Set(['localhost', '127.0.0.1', '[::1]', '0.0.0.0']);

/** The host that the conversation is sent to; null while it stays on this machine. */
export function remoteHost(backend: BackendSettings): string | null {
  switch (backend.backend) {
    case 'replay':
      return null;
    case 'ollama':
      return hostOf(backend.host);
    case 'anthropic':
      return hostOf(backend.base_url);
    case 'claude_agent_sdk':
      return 'api.anthropic.com';
  }
}

function hostOf(url: string): string | null {
  if (!URL.canParse(url)) return url;
  const { hostname, host } = new URL(url);
  return THIS_MACHINE.has(hostname) ? null : host;
}
