/** A real terminal, for output that draws on a screen or is too long for the page. */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal, type ITheme } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import type { TerminalPalette } from './terminal_theme';

const SCROLLBACK = 50_000;
const MIN_ROWS = 3;
const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;
const BRIGHT = [
  'brightBlack',
  'brightRed',
  'brightGreen',
  'brightYellow',
  'brightBlue',
  'brightMagenta',
  'brightCyan',
  'brightWhite',
] as const;

function themeOf(palette: TerminalPalette): ITheme {
  const theme: ITheme = {
    background: palette.background,
    foreground: palette.foreground,
    // Nothing is typed here: the cursor is not shown.
    cursor: palette.background,
    cursorAccent: palette.background,
    selectionBackground: palette.selection,
    scrollbarSliderBackground: `${palette.faint}55`,
    scrollbarSliderHoverBackground: `${palette.faint}88`,
    scrollbarSliderActiveBackground: `${palette.faint}aa`,
  };
  for (const [index, name] of [...NAMES, ...BRIGHT].entries()) {
    const colour = palette.ansi[index];
    if (colour !== undefined) theme[name] = colour;
  }
  return theme;
}

export class XtermView {
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #resize: ResizeObserver;
  readonly #maxRows: number;
  #written = '';

  constructor(place: HTMLElement, palette: TerminalPalette, label: string, maxHeight: number) {
    const style = getComputedStyle(place);
    const fontSize = Number.parseFloat(style.fontSize) || 12;
    this.#terminal = new Terminal({
      convertEol: true,
      disableStdin: true,
      cursorBlink: false,
      cursorInactiveStyle: 'none',
      scrollback: SCROLLBACK,
      screenReaderMode: true,
      minimumContrastRatio: 4.5,
      fontFamily: style.fontFamily,
      fontSize,
      lineHeight: 1.15,
      theme: themeOf(palette),
    });
    this.#maxRows = Math.max(MIN_ROWS, Math.floor(maxHeight / (fontSize * 1.5)));
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.open(place);
    this.#terminal.textarea?.setAttribute('aria-label', label);
    // Tab leaves, shortcuts of the app work, Ctrl+C copies: nothing here is for a program.
    this.#terminal.attachCustomKeyEventHandler(() => false);
    this.#resize = new ResizeObserver(() => {
      this.#fitWidth();
    });
    this.#resize.observe(place);
    this.#fitWidth();
  }

  /** Writes what is new; a text that does not go on from the last one is written anew. */
  show(text: string): void {
    if (text === this.#written) return;
    if (!text.startsWith(this.#written)) {
      this.#terminal.reset();
      this.#written = '';
    }
    const piece = text.slice(this.#written.length);
    this.#written = text;
    this.#terminal.write(piece, () => {
      this.#fitHeight();
    });
  }

  recolour(palette: TerminalPalette): void {
    this.#terminal.options.theme = themeOf(palette);
  }

  get selection(): string {
    return this.#terminal.getSelection();
  }

  destroy(): void {
    this.#resize.disconnect();
    this.#terminal.dispose();
  }

  #fitWidth(): void {
    const cols = this.#fit.proposeDimensions()?.cols;
    if (cols === undefined || cols === this.#terminal.cols || !Number.isFinite(cols)) return;
    this.#terminal.resize(Math.max(20, cols), this.#terminal.rows);
    this.#fitHeight();
  }

  /** As high as the text, up to the limit. */
  #fitHeight(): void {
    const { buffer, cols, rows } = this.#terminal;
    const lines = buffer.active.baseY + buffer.active.cursorY + 1;
    const wanted = Math.min(this.#maxRows, Math.max(MIN_ROWS, lines));
    // A program that draws on the screen reckons with a fixed height.
    if (wanted > rows || (wanted < rows && buffer.active.baseY === 0 && rows > this.#maxRows)) {
      this.#terminal.resize(cols, wanted);
    }
  }
}
