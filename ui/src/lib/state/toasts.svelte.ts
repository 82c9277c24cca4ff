/** Short messages at the edge of the screen. */
import type { AppError } from '$lib/bindings';
import type { ToastMessage } from '$lib/components/ui/toast';
import type { Tone } from '$lib/components/ui/types';
import { errorSentence } from '$lib/words/errors';

const SHOWN_MS = 6_000;
const SHOWN_WITH_ACTION_MS = 12_000;
const MOST = 5;

type More = Partial<Omit<ToastMessage, 'id' | 'tone' | 'title'>>;

class Toasts {
  list = $state.raw<readonly ToastMessage[]>([]);
  #next = 1;
  #held = false;
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();

  /** Shows a message; errors stay until they are dismissed. */
  show(tone: Tone, title: string, more: More = {}): number {
    const same = this.list.find((toast) => toast.title === title);
    if (same) this.dismiss(same.id);
    const id = this.#next;
    this.#next += 1;
    const toast = { text: '', details: [], action: null, ...more, id, tone, title };
    this.list = [...this.list.slice(1 - MOST), toast];
    this.#dismissLater(toast);
    return id;
  }

  error(error: AppError): void {
    const mild = error.code === 'not_now' || error.code === 'control_off';
    const more = { text: error.hint, details: error.details };
    this.show(mild ? 'warning' : 'danger', errorSentence(error), more);
  }

  dismiss(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  /** While the person is on them, none goes away. */
  hold(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    for (const toast of this.list) {
      if (held) clearTimeout(this.#timers.get(toast.id));
      else this.#dismissLater(toast);
    }
  }

  #dismissLater(toast: ToastMessage): void {
    if (toast.tone === 'danger' || this.#held) return;
    const shown = toast.action ? SHOWN_WITH_ACTION_MS : SHOWN_MS;
    const timer = setTimeout(() => {
      this.dismiss(toast.id);
    }, shown);
    this.#timers.set(toast.id, timer);
  }
}

export const toasts = new Toasts();
