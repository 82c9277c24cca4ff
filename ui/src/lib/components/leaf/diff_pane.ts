/** One pane of a difference as a CodeMirror view: lines, signs, numbers, folds, free space. */
import {
  EditorState,
  Prec,
  RangeSetBuilder,
  StateEffect,
  StateField,
  Text,
  type Extension,
} from '@codemirror/state';
import {
  BlockType,
  Decoration,
  EditorView,
  gutter,
  GutterMarker,
  WidgetType,
  type BlockInfo,
  type DecorationSet,
} from '@codemirror/view';
import { LINE_RATIO } from './code_editor';
import type { DiffLine, Pane, Sign } from './diff_model';
import { FOLD_HEIGHT } from './diff_theme';

export interface PaneOptions {
  /** Old and new number, one of them, or none. */
  readonly numbers: readonly ('old' | 'now')[];
  readonly foldLabel: (lines: number) => string;
  readonly foldTitle: string;
  /** The person opens the fold of that place in the list. */
  readonly onunfold: (fold: number) => void;
  readonly extensions: Extension;
}

const unfold = StateEffect.define<number>();

class FoldWidget extends WidgetType {
  constructor(
    readonly fold: number,
    readonly lines: number,
    readonly options: PaneOptions,
  ) {
    super();
  }

  override eq(other: FoldWidget): boolean {
    return this.fold === other.fold;
  }

  override toDOM(): HTMLElement {
    const bar = document.createElement('button');
    bar.type = 'button';
    bar.className = 'diff-fold';
    bar.title = this.options.foldTitle;
    const sign = bar.appendChild(document.createElement('span'));
    sign.textContent = '↕';
    sign.ariaHidden = 'true';
    bar.append(this.options.foldLabel(this.lines));
    bar.addEventListener('click', () => {
      this.options.onunfold(this.fold);
    });
    return bar;
  }

  override ignoreEvent(): boolean {
    return true;
  }

  override get estimatedHeight(): number {
    return FOLD_HEIGHT;
  }
}

class SpaceWidget extends WidgetType {
  constructor(readonly lines: number) {
    super();
  }

  override eq(other: SpaceWidget): boolean {
    return this.lines === other.lines;
  }

  override toDOM(): HTMLElement {
    const space = document.createElement('div');
    space.className = 'diff-space';
    space.style.height = `${this.lines * LINE_RATIO}em`;
    return space;
  }
}

function folds(pane: Pane, options: PaneOptions): Extension {
  return StateField.define<DecorationSet>({
    create: ({ doc }) =>
      Decoration.set(
        pane.folds.map((fold, index) =>
          Decoration.replace({
            block: true,
            widget: new FoldWidget(index, fold.to - fold.from, options),
          }).range(doc.line(fold.from + 1).from, doc.line(fold.to).to),
        ),
      ),
    update: (shown, transaction) => {
      let next = shown;
      for (const effect of transaction.effects) {
        if (!effect.is(unfold)) continue;
        const isOther = (_from: number, _to: number, value: Decoration) => {
          const { widget } = value.spec as { widget?: unknown };
          return !(widget instanceof FoldWidget && widget.fold === effect.value);
        };
        next = next.update({ filter: isOther });
      }
      return next;
    },
    provide: (field) => EditorView.decorations.from(field),
  });
}

const LINE: Readonly<Record<Sign, Decoration | null>> = {
  same: null,
  added: Decoration.line({ class: 'diff-added' }),
  removed: Decoration.line({ class: 'diff-removed' }),
};

/** Read out as inserted and deleted text. */
const ELEMENT: Readonly<Record<Sign, Decoration | null>> = {
  same: null,
  added: Decoration.mark({ tagName: 'ins' }),
  removed: Decoration.mark({ tagName: 'del' }),
};

const WORD = Decoration.mark({ class: 'diff-word' });

function decorate(pane: Pane, doc: Text): Extension {
  const [lines, elements, words, spaces] = [
    new RangeSetBuilder<Decoration>(),
    new RangeSetBuilder<Decoration>(),
    new RangeSetBuilder<Decoration>(),
    new RangeSetBuilder<Decoration>(),
  ];
  let from = 0;
  for (const [index, line] of pane.lines.entries()) {
    const space = pane.spaces.get(index);
    if (space !== undefined) spaces.add(from, from, spaceAt(space, -1));
    const to = from + line.text.length;
    const [whole, element] = [LINE[line.sign], ELEMENT[line.sign]];
    if (whole) lines.add(from, from, whole);
    if (element && to > from) elements.add(from, to, element);
    for (const word of line.words) words.add(from + word.from, from + word.to, WORD);
    from = to + 1;
  }
  const last = pane.spaces.get(pane.lines.length);
  if (last !== undefined) spaces.add(doc.length, doc.length, spaceAt(last, 1));
  return [
    EditorView.decorations.of(lines.finish()),
    EditorView.decorations.of(words.finish()),
    EditorView.decorations.of(spaces.finish()),
    // The lowest precedence is the outermost element.
    Prec.lowest(EditorView.decorations.of(elements.finish())),
  ];
}

function spaceAt(lines: number, side: -1 | 1): Decoration {
  return Decoration.widget({ block: true, side, widget: new SpaceWidget(lines) });
}

class Cell extends GutterMarker {
  constructor(
    readonly text: string,
    override readonly elementClass: string,
  ) {
    super();
  }

  override eq(other: Cell): boolean {
    return this.text === other.text && this.elementClass === other.elementClass;
  }

  override toDOM(): Node {
    return document.createTextNode(this.text);
  }
}

const CELL_CLASS: Readonly<Record<Sign, string>> = {
  same: '',
  added: 'diff-gutter-added',
  removed: 'diff-gutter-removed',
};
const SIGN: Readonly<Record<Sign, string>> = { same: '', added: '+', removed: '−' };
const FOLD_CELL = new Cell('', 'diff-gutter-fold');
const SPACE_CELL = new Cell('', 'diff-space');

function column(
  pane: Pane,
  name: string,
  textOf: (line: DiffLine) => string,
  spacer: string,
): Extension {
  return gutter({
    class: name,
    lineMarker: (view: EditorView, block: BlockInfo) => {
      const line = pane.lines[view.state.doc.lineAt(block.from).number - 1];
      return line ? new Cell(textOf(line), CELL_CLASS[line.sign]) : null;
    },
    widgetMarker: (_view, _widget, block) =>
      block.type === BlockType.WidgetRange ? FOLD_CELL : SPACE_CELL,
    initialSpacer: () => new Cell(spacer, ''),
  });
}

function gutters(pane: Pane, numbers: readonly ('old' | 'now')[]): Extension {
  const columns = numbers.map((side) => {
    const widest = pane.lines.reduce((most, line) => Math.max(most, line[side] ?? 0), 0);
    return column(
      pane,
      'diff-numbers',
      (line) => {
        const number = line[side];
        return number === null ? '' : String(number);
      },
      String(widest),
    );
  });
  return [...columns, column(pane, 'diff-signs', (line) => SIGN[line.sign], '+')];
}

export function makePane(pane: Pane, options: PaneOptions, parent: HTMLElement): EditorView {
  const doc = Text.of(pane.lines.length > 0 ? pane.lines.map((line) => line.text) : ['']);
  return new EditorView({
    state: EditorState.create({
      doc,
      extensions: [
        options.extensions,
        gutters(pane, options.numbers),
        folds(pane, options),
        decorate(pane, doc),
      ],
    }),
    parent,
  });
}

export function openFold(view: EditorView, fold: number): void {
  view.dispatch({ effects: unfold.of(fold) });
}
