/**
 * Puts lines of styled runs into the page.
 *
 * By hand: output grows many times a second, and only its last line and what comes after it change.
 */
import type { AnsiLine } from './ansi';
import { cssOf, type TerminalPalette } from './terminal_theme';

function lineElement(line: AnsiLine, palette: TerminalPalette): HTMLElement {
  const element = document.createElement('div');
  for (const run of line) {
    const style = cssOf(run.style, palette);
    if (style === '') {
      element.append(run.text);
    } else {
      const span = element.appendChild(document.createElement('span'));
      span.style.cssText = style;
      span.textContent = run.text;
    }
  }
  return element;
}

export class AnsiLines {
  #shown: AnsiLine[] = [];
  #palette: TerminalPalette | null = null;

  constructor(readonly place: HTMLElement) {}

  show(lines: readonly AnsiLine[], palette: TerminalPalette): void {
    const same = palette === this.#palette ? this.#sameLines(lines) : 0;
    while (this.place.childElementCount > same) this.place.lastElementChild?.remove();
    const added = document.createDocumentFragment();
    for (const line of lines.slice(same)) added.append(lineElement(line, palette));
    this.place.append(added);
    this.#shown = [...lines];
    this.#palette = palette;
  }

  /** How many lines at the beginning are as they were. Changes are at the end: looks from there. */
  #sameLines(lines: readonly AnsiLine[]): number {
    const both = Math.min(lines.length, this.#shown.length);
    let same = both;
    while (same > 0 && lines[same - 1] !== this.#shown[same - 1]) same -= 1;
    return same > 0 && lines[0] !== this.#shown[0] ? 0 : same;
  }
}
