/** The models of an Ollama server: which there are, which one works, and getting one more. */
import type { AppError, OllamaModel, PullProgress } from '$lib/bindings';
import type { Backend } from '$lib/transport/backend';
import { asAppError } from './session.svelte';

/** A model's name with the tag that Ollama adds where there is none. */
export function fullName(model: string): string {
  const last = model.slice(model.lastIndexOf('/') + 1);
  return last.includes(':') ? model : `${model}:latest`;
}

export class ModelChoice {
  readonly host: string;
  /** What the configuration names. */
  readonly configured: string;
  readonly #backend: Backend;

  /** Null until the server has answered. */
  models = $state.raw<readonly OllamaModel[] | null>(null);
  error = $state.raw<AppError | null>(null);
  loading = $state(false);
  /** How far getting the configured model is; null while nobody does. */
  pulling = $state.raw<PullProgress | null>(null);
  #chosen = $state<string | null>(null);

  constructor(host: string, configured: string, backend: Backend) {
    this.host = host;
    this.configured = fullName(configured);
    this.#backend = backend;
  }

  readonly chosen = $derived.by(() => this.#chosen ?? this.configured);
  readonly found = $derived(this.models?.find((model) => model.name === this.chosen) ?? null);
  /** Whether the server answered and does not have the model. */
  readonly missing = $derived(this.models !== null && this.found === null);
  readonly withoutTools = $derived(this.found?.tools === false);
  /** What a session is started with where that is not what the configuration says. */
  readonly override = $derived.by(() => (this.chosen === this.configured ? null : this.chosen));

  choose(model: string): void {
    this.#chosen = model;
  }

  async load(): Promise<void> {
    this.loading = true;
    try {
      this.models = await this.#backend.ollamaModels(this.host);
      this.error = null;
    } catch (fault) {
      this.models = null;
      this.error = asAppError(fault);
    } finally {
      this.loading = false;
    }
  }

  async pull(): Promise<void> {
    this.error = null;
    this.pulling = { label: '', done_mb: 0, total_mb: null };
    try {
      const done = await this.#backend.pullModel(this.host, this.chosen, (progress) => {
        if (this.pulling) this.pulling = progress;
      });
      this.pulling = null;
      if (done) await this.load();
    } catch (fault) {
      this.pulling = null;
      this.error = asAppError(fault);
    }
  }

  async stop(): Promise<void> {
    await this.#backend.stopPull();
  }
}
