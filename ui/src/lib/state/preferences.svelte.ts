/** What the person prefers, remembered in the page's own storage. */
import { getLocale, overwriteGetLocale, setLocale, type Locale } from '$paraglide/runtime';

export type Theme = 'system' | 'light' | 'dark';

const THEME = 'espalier.theme';
const ANNOTATOR = 'espalier.annotator';
const DARK = '(prefers-color-scheme: dark)';

/** Storage may be off or full; a preference is then good for this run only. */
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch (error) {
    console.warn('a preference could not be remembered', error);
  }
}

export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function isTheme(text: string | null): text is Theme {
  return text === 'system' || text === 'light' || text === 'dark';
}

class Preferences {
  #theme = $state<Theme>('system');
  #systemDark = $state(false);
  #locale = $state<Locale>('en');
  #annotator = $state('');

  /** Takes up what was remembered. Called once, before anything is shown. */
  start(): void {
    const theme = remembered(THEME);
    if (isTheme(theme)) this.#theme = theme;
    this.#annotator = remembered(ANNOTATOR) ?? '';
    this.#locale = getLocale();
    // Messages read the language here, so that a change of it reaches every text on the screen.
    overwriteGetLocale(() => this.#locale);
    const dark = window.matchMedia(DARK);
    this.#systemDark = dark.matches;
    dark.addEventListener('change', (event) => {
      this.#systemDark = event.matches;
      this.#apply();
    });
    this.#apply();
  }

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    remember(THEME, theme);
    this.#apply();
  }

  /** The colours on screen now. */
  get shade(): 'light' | 'dark' {
    if (this.#theme !== 'system') return this.#theme;
    return this.#systemDark ? 'dark' : 'light';
  }

  get locale(): Locale {
    return this.#locale;
  }

  set locale(locale: Locale) {
    this.#locale = locale;
    void setLocale(locale, { reload: false });
    this.#apply();
  }

  get annotator(): string {
    return this.#annotator;
  }

  set annotator(name: string) {
    this.#annotator = name;
    remember(ANNOTATOR, name);
  }

  #apply(): void {
    const root = document.documentElement;
    root.dataset['theme'] = this.shade;
    root.lang = this.#locale;
  }
}

export const preferences = new Preferences();
