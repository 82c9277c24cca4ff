/** Colours of a difference over what every view has. */
import { EditorView } from '@codemirror/view';

/** Height of "n unchanged lines", in CSS pixels. */
export const FOLD_HEIGHT = 26;

const foldEdges = {
  background: 'var(--surface-sunken)',
  boxShadow: 'inset 0 1px var(--border), inset 0 -1px var(--border)',
};

export const diffTheme = EditorView.theme({
  '.cm-content': { padding: '0' },
  '.cm-gutters': { borderRight: 'none' },
  '.diff-numbers .cm-gutterElement': {
    minWidth: '2.5rem',
    padding: '0 0.375rem 0 0.5rem',
    textAlign: 'right',
  },
  '.diff-signs .cm-gutterElement': {
    minWidth: '1.25rem',
    textAlign: 'center',
    fontWeight: 'var(--weight-strong)',
  },
  '.diff-gutter-added': {
    backgroundColor: 'var(--diff-added-gutter)',
    color: 'var(--diff-added)',
  },
  '.diff-gutter-removed': {
    backgroundColor: 'var(--diff-removed-gutter)',
    color: 'var(--diff-removed)',
  },
  '.diff-gutter-fold': foldEdges,
  '.diff-added': { backgroundColor: 'var(--diff-added-bg)' },
  '.diff-removed': { backgroundColor: 'var(--diff-removed-bg)' },
  'ins, del': { textDecoration: 'none' },
  '.diff-word': { borderRadius: '2px' },
  '.diff-added .diff-word': { background: 'var(--diff-added-word)' },
  '.diff-removed .diff-word': { background: 'var(--diff-removed-word)' },
  '.diff-space': {
    backgroundColor: 'var(--diff-spacer)',
    backgroundImage: 'repeating-linear-gradient(-45deg, transparent 0 5px, var(--border) 5px 6px)',
  },
  '.diff-fold': {
    display: 'flex',
    gap: '0.5rem',
    alignItems: 'center',
    boxSizing: 'border-box',
    width: '100%',
    height: `${FOLD_HEIGHT}px`,
    padding: '0 0.5rem',
    border: 'none',
    ...foldEdges,
    color: 'var(--text-muted)',
    font: 'var(--size-sm) / 1 var(--font-ui)',
    cursor: 'default',
  },
  '.diff-fold:hover': { background: 'var(--surface-hover)', color: 'var(--text)' },
  '.diff-fold:focus-visible': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
});
