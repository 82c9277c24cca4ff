/** Shows the difference of one file in one pane or two. */
import type { LanguageSupport } from '@codemirror/language';
import type { EditorView } from '@codemirror/view';
import * as m from '$paraglide/messages';
import { LINE_HEIGHT, readOnly } from './code_editor';
import { sizeOf, type DiffModel, type Pane } from './diff_model';
import { makePane, openFold, type PaneOptions } from './diff_pane';
import { diffSyntax, parseSources } from './diff_syntax';
import { diffTheme, FOLD_HEIGHT } from './diff_theme';

export interface DiffSource {
  readonly path: string;
  readonly old: string;
  readonly now: string;
  readonly language: LanguageSupport | null;
  readonly lineNumbers: boolean;
}

/** The height of a difference in CSS pixels, before it is made. */
export function heightOf(model: DiffModel): number {
  const { lines, folds } = sizeOf(model);
  return lines * LINE_HEIGHT + folds * FOLD_HEIGHT;
}

/** Makes the views in `parent`; the function that is returned takes them away again. */
export function mountDiff(model: DiffModel, source: DiffSource, parent: HTMLElement): () => void {
  const { path, old, now, language, lineNumbers } = source;
  const trees = language ? parseSources(language.language, { old, new: now }) : null;
  const views: EditorView[] = [];
  const make = (pane: Pane, label: string, numbers: PaneOptions['numbers'], place: HTMLElement) => {
    const options: PaneOptions = {
      numbers: lineNumbers ? numbers : [],
      foldLabel: (lines) => m.leaf_diff_unchanged({ count: lines }),
      foldTitle: m.leaf_diff_expand(),
      onunfold: (fold) => {
        for (const view of views) openFold(view, fold);
        views[0]?.focus();
      },
      // The first theme wins.
      extensions: [diffTheme, readOnly(label), trees ? diffSyntax(pane.lines, trees) : []],
    };
    views.push(makePane(pane, options, place));
  };
  if (model.layout === 'unified') {
    const sides = (['old', 'now'] as const).filter((side) =>
      model.pane.lines.some((line) => line[side] !== null),
    );
    make(model.pane, m.leaf_diff_label({ path }), sides, parent);
  } else {
    const sides = parent.appendChild(document.createElement('div'));
    sides.className = 'diff-sides';
    const [left, right] = [sides, sides].map((of) => of.appendChild(document.createElement('div')));
    if (left) make(model.old, m.leaf_diff_before({ path }), ['old'], left);
    if (right) make(model.now, m.leaf_diff_after({ path }), ['now'], right);
    levelSideways(views);
  }
  return () => {
    for (const view of views) view.destroy();
    parent.replaceChildren();
  };
}

/** Both sides of a split scroll sideways together. */
function levelSideways(views: readonly EditorView[]): void {
  for (const view of views) {
    view.scrollDOM.addEventListener(
      'scroll',
      () => {
        for (const other of views) {
          const to = view.scrollDOM.scrollLeft;
          if (other.scrollDOM.scrollLeft !== to) other.scrollDOM.scrollLeft = to;
        }
      },
      { passive: true },
    );
  }
}
