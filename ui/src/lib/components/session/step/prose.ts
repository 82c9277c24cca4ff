/** The little of Markdown that models write all the time: code fences, code spans, bold. */

export type Span =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'strong'; readonly text: string };

export type ProseBlock =
  | { readonly kind: 'text'; readonly spans: readonly Span[] }
  | { readonly kind: 'fence'; readonly language: string; readonly text: string };

const FENCE = /^```([\w+-]*)[^\n]*\n([\s\S]*?)(?:^```[ \t]*$|(?![\s\S]))/gm;
const SPAN = /`([^`\n]+)`|\*\*([^*\n]+)\*\*/g;

/** Splits a text; an unfinished fence, as it is written, already is one. */
export function prose(text: string): ProseBlock[] {
  const blocks: ProseBlock[] = [];
  let at = 0;
  const put = (part: string): void => {
    const trimmed = part.replace(/^\n+|\n+$/g, '');
    if (trimmed !== '') blocks.push({ kind: 'text', spans: spans(trimmed) });
  };
  for (const match of text.matchAll(FENCE)) {
    put(text.slice(at, match.index));
    blocks.push({
      kind: 'fence',
      language: match[1] ?? '',
      text: (match[2] ?? '').replace(/\n$/, ''),
    });
    at = match.index + match[0].length;
  }
  put(text.slice(at));
  return blocks;
}

function spans(text: string): Span[] {
  const found: Span[] = [];
  let at = 0;
  for (const match of text.matchAll(SPAN)) {
    if (match.index > at) found.push({ kind: 'text', text: text.slice(at, match.index) });
    if (match[1] !== undefined) found.push({ kind: 'code', text: match[1] });
    else found.push({ kind: 'strong', text: match[2] ?? '' });
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push({ kind: 'text', text: text.slice(at) });
  return found;
}
