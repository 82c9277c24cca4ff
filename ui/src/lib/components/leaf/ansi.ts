/**
 * Folds terminal output into lines of styled runs, piece by piece as it comes.
 *
 * Knows what commands without a screen of their own write: colours, and rewriting the present line
 * (progress bars). A text that moves between lines or clears the screen needs a real terminal;
 * `needsScreen` says so.
 */

/** 0 to 255 of the palette, or a colour of its own. */
export type AnsiColour = number | string;

export interface AnsiStyle {
  readonly fg: AnsiColour | null;
  readonly bg: AnsiColour | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly strike: boolean;
  readonly inverse: boolean;
  readonly hidden: boolean;
}

export interface AnsiRun {
  readonly text: string;
  readonly style: AnsiStyle;
}

export type AnsiLine = readonly AnsiRun[];

export const PLAIN: AnsiStyle = {
  fg: null,
  bg: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
  hidden: false,
};

const ESC = '\u001b';
const BELL = '\u0007';
const TAB = 8;
/** A sequence longer than this is no sequence. */
const MAX_SEQUENCE = 4_096;

/** Plain text up to the next character with a meaning. */
// eslint-disable-next-line no-control-regex -- these are the characters with a meaning
const TEXT = /[^\u0000-\u001f\u007f\u009b]+/uy;
// eslint-disable-next-line no-control-regex -- this is what escape sequences are made of
const CSI = /\u001b\[([0-?]*)([ -/]*)([@-~])/uy;

const KEYS = Object.keys(PLAIN) as (keyof AnsiStyle)[];

function sameStyle(a: AnsiStyle, b: AnsiStyle): boolean {
  return a === b || KEYS.every((key) => a[key] === b[key]);
}

function hex(red: number, green: number, blue: number): string {
  return `#${[red, green, blue]
    .map((part) => Math.min(255, Math.max(0, part)).toString(16).padStart(2, '0'))
    .join('')}`;
}

/** Reads `38;5;n` and `38;2;r;g;b`; tells how many parameters it took. */
function extended(codes: readonly number[], at: number): [AnsiColour | null, number] {
  if (codes[at] === 5) return [Math.min(255, codes[at + 1] ?? 0), 2];
  if (codes[at] === 2) return [hex(codes[at + 1] ?? 0, codes[at + 2] ?? 0, codes[at + 3] ?? 0), 4];
  return [null, 0];
}

type Change = Partial<AnsiStyle>;

/** What one parameter of a colour sequence changes, apart from colours. */
const SWITCHES: Readonly<Record<number, Change>> = {
  0: PLAIN,
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  8: { hidden: true },
  9: { strike: true },
  21: { underline: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  28: { hidden: false },
  29: { strike: false },
  39: { fg: null },
  49: { bg: null },
};

function colourOf(code: number): Change | null {
  if (code >= 30 && code <= 37) return { fg: code - 30 };
  if (code >= 40 && code <= 47) return { bg: code - 40 };
  if (code >= 90 && code <= 97) return { fg: code - 90 + 8 };
  if (code >= 100 && code <= 107) return { bg: code - 100 + 8 };
  return null;
}

export function restyle(style: AnsiStyle, parameters: string): AnsiStyle {
  const codes = parameters.split(/[;:]/u).map(Number);
  let next = style;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(codes, at + 1);
      if (colour !== null) next = { ...next, ...(code === 38 ? { fg: colour } : { bg: colour }) };
      at += used;
    } else {
      const change = SWITCHES[code] ?? colourOf(code);
      if (change) next = { ...next, ...change };
    }
  }
  return sameStyle(next, PLAIN) ? PLAIN : next;
}

function lengthOf(line: AnsiLine): number {
  let length = 0;
  for (const run of line) length += run.text.length;
  return length;
}

/** The runs of `line` from column `from` to column `to`. */
function slice(line: AnsiLine, from: number, to: number): AnsiRun[] {
  const runs: AnsiRun[] = [];
  let at = 0;
  for (const run of line) {
    const text = run.text.slice(Math.max(0, from - at), Math.max(0, to - at));
    if (text !== '') runs.push({ text, style: run.style });
    at += run.text.length;
    if (at >= to) break;
  }
  return runs;
}

function join(runs: readonly AnsiRun[]): AnsiRun[] {
  const joined: AnsiRun[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (last && sameStyle(last.style, run.style)) {
      joined[joined.length - 1] = { text: last.text + run.text, style: last.style };
    } else if (run.text !== '') {
      joined.push(run);
    }
  }
  return joined;
}

export class AnsiText {
  /** A line is replaced when it changes, so that `===` tells which did. */
  lines: AnsiLine[] = [[]];
  needsScreen = false;
  #style: AnsiStyle = PLAIN;
  #column = 0;
  /** The beginning of a sequence whose end has not come. */
  #rest = '';

  write(piece: string): void {
    const text = this.#rest + piece;
    this.#rest = '';
    let at = 0;
    while (at < text.length) {
      TEXT.lastIndex = at;
      const plain = TEXT.exec(text);
      if (plain) {
        this.#put(plain[0]);
        at = TEXT.lastIndex;
        continue;
      }
      const next = text[at] === ESC ? this.#escape(text, at) : this.#control(text, at);
      if (next === null) {
        this.#rest = text.slice(at);
        return;
      }
      at = next;
    }
  }

  /** The text without its colours. */
  get plain(): string {
    return this.lines.map((line) => line.map((run) => run.text).join('')).join('\n');
  }

  get #last(): AnsiLine {
    return this.lines.at(-1) ?? [];
  }

  #replace(line: AnsiLine): void {
    this.lines[this.lines.length - 1] = line;
  }

  #put(text: string): void {
    const line = this.#last;
    const length = lengthOf(line);
    const gap = this.#column - length;
    const pad = gap > 0 ? [{ text: ' '.repeat(gap), style: PLAIN }] : [];
    const before = gap < 0 ? slice(line, 0, this.#column) : line;
    const after = gap < 0 ? slice(line, this.#column + text.length, length) : [];
    this.#replace(join([...before, ...pad, { text, style: this.#style }, ...after]));
    this.#column += text.length;
  }

  #control(text: string, at: number): number | null {
    switch (text[at]) {
      case '\n':
        this.lines.push([]);
        this.#column = 0;
        break;
      case '\r':
        // What follows decides whether the line ends or is written anew.
        if (at + 1 === text.length) return null;
        this.#column = 0;
        break;
      case '\b':
        this.#column = Math.max(0, this.#column - 1);
        break;
      case '\t': {
        const to = (Math.floor(this.#column / TAB) + 1) * TAB;
        if (this.#column >= lengthOf(this.#last)) this.#put(' '.repeat(to - this.#column));
        this.#column = to;
        break;
      }
      default:
        break;
    }
    return at + 1;
  }

  /** Takes an escape sequence; null while its end has not come. */
  #escape(text: string, at: number): number | null {
    const kind = text[at + 1];
    if (kind === undefined) return null;
    if (kind === ']' || kind === 'P' || kind === '_' || kind === '^') return this.#string(text, at);
    if (kind !== '[') {
      // Save and restore of the place, and a full reset, are about the screen.
      if ('78cDM'.includes(kind)) this.needsScreen = true;
      const charset = '()*+'.includes(kind);
      if (charset && text[at + 2] === undefined) return null;
      return at + (charset ? 3 : 2);
    }
    CSI.lastIndex = at;
    const sequence = CSI.exec(text);
    if (!sequence) {
      const whole = text.length - at > MAX_SEQUENCE || /[^ -?]/u.test(text.slice(at + 2));
      return whole ? at + 2 : null;
    }
    this.#apply(sequence[1] ?? '', sequence[3] ?? '');
    return CSI.lastIndex;
  }

  /** Titles and links: their words are not shown. */
  #string(text: string, at: number): number | null {
    const [bell, end] = [text.indexOf(BELL, at), text.indexOf(`${ESC}\\`, at)];
    if (bell >= 0 && (end < 0 || bell < end)) return bell + 1;
    if (end >= 0) return end + 2;
    return text.length - at > MAX_SEQUENCE ? at + 2 : null;
  }

  #apply(parameters: string, final: string): void {
    const count = Number.parseInt(parameters, 10) || 0;
    switch (final) {
      case 'm':
        if (!parameters.startsWith('>') && !parameters.startsWith('?')) {
          this.#style = restyle(this.#style, parameters);
        }
        break;
      case 'K':
        this.#erase(count);
        break;
      case 'C':
        this.#column += Math.max(1, count);
        break;
      case 'D':
        this.#column = Math.max(0, this.#column - Math.max(1, count));
        break;
      case 'G':
        this.#column = Math.max(0, count - 1);
        break;
      case 'h':
      case 'l':
        // Showing and hiding the cursor says nothing; another screen does.
        if (/^\?(47|1047|1049)$/u.test(parameters)) this.needsScreen = true;
        break;
      case 'A':
      case 'B':
      case 'E':
      case 'F':
      case 'H':
      case 'J':
      case 'L':
      case 'M':
      case 'S':
      case 'T':
      case 'd':
      case 'f':
      case 'r':
      case 's':
      case 'u':
        this.needsScreen = true;
        break;
      default:
        break;
    }
  }

  #erase(mode: number): void {
    const line = this.#last;
    if (mode === 0) this.#replace(slice(line, 0, this.#column));
    else if (mode === 2) this.#replace([]);
    else {
      const kept = slice(line, this.#column + 1, lengthOf(line));
      this.#replace(join([{ text: ' '.repeat(this.#column + 1), style: PLAIN }, ...kept]));
    }
  }
}
