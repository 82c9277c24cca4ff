/** What every read-only CodeMirror view here has in common: looks, colours, languages. */
import {
  HighlightStyle,
  LanguageDescription,
  syntaxHighlighting,
  type LanguageSupport,
} from '@codemirror/language';
import { languages } from '@codemirror/language-data';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags as t } from '@lezer/highlight';

/** Height of a line against the size of its letters: `--line-code`. */
export const LINE_RATIO = 1.5;
/** Height of a line in CSS pixels at the default text size. */
export const LINE_HEIGHT = 18;
/** Above and below the text. */
export const TEXT_PADDING = 4;
/** Longer texts stay plain: parsing them costs more than colours are worth. */
const HIGHLIGHT_LIMIT = 300_000;

export const highlightStyle = HighlightStyle.define([
  { tag: t.comment, color: 'var(--syntax-comment)', fontStyle: 'italic' },
  { tag: [t.meta, t.documentMeta], color: 'var(--syntax-comment)' },
  {
    tag: [t.keyword, t.modifier, t.operatorKeyword, t.self, t.atom, t.bool, t.null],
    color: 'var(--syntax-keyword)',
  },
  {
    tag: [t.string, t.special(t.string), t.character, t.attributeValue, t.docString, t.inserted],
    color: 'var(--syntax-string)',
  },
  {
    tag: [t.number, t.unit, t.color, t.regexp, t.escape, t.constant(t.name)],
    color: 'var(--syntax-number)',
  },
  {
    tag: [t.function(t.variableName), t.function(t.propertyName), t.macroName, t.labelName],
    color: 'var(--syntax-function)',
  },
  { tag: [t.typeName, t.className, t.namespace, t.standard(t.name)], color: 'var(--syntax-type)' },
  {
    tag: [t.propertyName, t.attributeName, t.definition(t.propertyName)],
    color: 'var(--syntax-property)',
  },
  { tag: [t.tagName, t.deleted], color: 'var(--syntax-tag)' },
  { tag: [t.link, t.url], color: 'var(--syntax-function)' },
  { tag: [t.heading, t.strong], fontWeight: 'var(--weight-strong)' },
  { tag: t.emphasis, fontStyle: 'italic' },
  { tag: t.invalid, color: 'var(--syntax-invalid)' },
]);

const theme = EditorView.theme({
  '&': { backgroundColor: 'transparent', color: 'var(--text)' },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
  '&.cm-focused:not(:has(:focus-visible))': { outline: 'none' },
  '.cm-scroller': {
    fontFamily: 'var(--font-mono)',
    fontSize: 'var(--size-code)',
    fontVariantLigatures: 'none',
    lineHeight: 'var(--line-code)',
  },
  '.cm-content': { padding: `${TEXT_PADDING}px 0`, caretColor: 'transparent', outline: 'none' },
  '.cm-line': { padding: '0 1rem 0 0.5rem' },
  '.cm-gutters': {
    backgroundColor: 'var(--surface-sunken)',
    color: 'var(--text-faint)',
    border: 'none',
    borderRight: '1px solid var(--border)',
    userSelect: 'none',
  },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '2.75rem', padding: '0 0.5rem 0 0.5rem' },
});

/** Languages that the list of CodeMirror does not know by file name, by one that reads alike. */
const LIKE: readonly [RegExp, string][] = [
  [/\.(svelte|astro)$/iu, 'vue'],
  [/\.(jsonc|json5|jsonl|ndjson)$/iu, 'json'],
  [/(^|\/)(\.bashrc|\.profile|\.zshrc|\.env(\..+)?|PKGBUILD)$/u, 'shell'],
  [/(^|\/)(Cargo|poetry|uv)\.lock$/u, 'toml'],
  [/(^|\/)\.(gitignore|dockerignore|editorconfig|gitconfig)$/u, 'properties files'],
];

function describe(path: string): LanguageDescription | null {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const known = LanguageDescription.matchFilename(languages, name);
  if (known) return known;
  const like = LIKE.find(([pattern]) => pattern.test(path));
  return like ? LanguageDescription.matchLanguageName(languages, like[1], false) : null;
}

/** Loads the language of a file; null for a file without one, or too long to colour. */
export async function languageOf(path: string, length: number): Promise<LanguageSupport | null> {
  if (length > HIGHLIGHT_LIMIT) return null;
  const description = describe(path);
  return description ? description.load() : null;
}

/** A view that can be read, scrolled, selected and copied from, by keyboard too. */
export function readOnly(label: string): Extension {
  return [
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.contentAttributes.of({
      tabindex: '0',
      'aria-label': label,
      'aria-readonly': 'true',
    }),
    theme,
    syntaxHighlighting(highlightStyle),
  ];
}
