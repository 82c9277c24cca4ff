/** Colours of terminals: the same for spans and for xterm.js. */
import type { TerminalTheme } from '$lib/bindings';
import { hexOf, readable } from '$lib/components/ui/contrast';
import { PLAIN, type AnsiColour, type AnsiStyle } from './ansi';

export interface TerminalPalette {
  readonly background: string;
  readonly foreground: string;
  readonly faint: string;
  readonly border: string;
  readonly selection: string;
  /** Black, red, green, yellow, blue, magenta, cyan, white, then the bright ones. */
  readonly ansi: readonly string[];
}

/** Every colour but the two that stand for the background is readable (4.5:1) on it. */
export const PALETTES: Readonly<Record<TerminalTheme, TerminalPalette>> = {
  dark: {
    background: '#0f1413',
    foreground: '#d6dedb',
    faint: '#8d9a94',
    border: '#262e2b',
    selection: '#1f4e78',
    ansi: [
      '#7f8c87',
      '#ff8d87',
      '#8ccf74',
      '#e6b45c',
      '#82b4ff',
      '#d3a4ee',
      '#66c9d6',
      '#d6dedb',
      '#96a39d',
      '#ffaaa5',
      '#a9e094',
      '#f3cb83',
      '#a8caff',
      '#e2c1f5',
      '#93dde6',
      '#f4f8f6',
    ],
  },
  light: {
    background: '#f8faf9',
    foreground: '#1f2a26',
    faint: '#5c6964',
    border: '#dfe5e2',
    selection: '#b9ddf9',
    ansi: [
      '#1f2a26',
      '#ad2629',
      '#2b6d1f',
      '#7a4c00',
      '#1a58b4',
      '#7f2b9c',
      '#0c6673',
      '#5c6964',
      '#54615b',
      '#b8242d',
      '#24711a',
      '#855200',
      '#1c5fc4',
      '#8a2fa9',
      '#0a6d7b',
      '#46534e',
    ],
  },
};

const CUBE = [0, 95, 135, 175, 215, 255];

/** A colour as `#rrggbb`. */
function hex(colour: AnsiColour, palette: TerminalPalette): string {
  if (typeof colour === 'string') return colour;
  const own = palette.ansi[colour];
  if (own !== undefined) return own;
  if (colour >= 232) {
    const grey = 8 + (colour - 232) * 10;
    return hexOf([grey, grey, grey]);
  }
  const index = colour - 16;
  const part = (at: number) => CUBE[at] ?? 0;
  return hexOf([part(Math.floor(index / 36)), part(Math.floor(index / 6) % 6), part(index % 6)]);
}

/** Colours of a run; text is made readable whatever a command chose. */
function coloursOf(style: AnsiStyle, palette: TerminalPalette) {
  let text = style.fg === null ? null : hex(style.fg, palette);
  let ground = style.bg === null ? null : hex(style.bg, palette);
  if (style.inverse) [text, ground] = [ground ?? palette.background, text ?? palette.foreground];
  if (text === null && style.dim) text = palette.faint;
  if (ground !== null) text ??= palette.foreground;
  if (text !== null) text = readable(text, ground ?? palette.background);
  return { text, ground };
}

/** A run's style attribute; empty for plain text. */
export function cssOf(style: AnsiStyle, palette: TerminalPalette): string {
  if (style === PLAIN) return '';
  const { text, ground } = coloursOf(style, palette);
  const parts: string[] = [];
  if (style.hidden) parts.push('visibility:hidden');
  if (text !== null) parts.push(`color:${text}`);
  if (ground !== null) parts.push(`background:${ground}`);
  if (style.bold) parts.push('font-weight:700');
  if (style.italic) parts.push('font-style:italic');
  const lines = [style.underline && 'underline', style.strike && 'line-through'].filter(Boolean);
  if (lines.length > 0) parts.push(`text-decoration:${lines.join(' ')}`);
  return parts.join(';');
}
