/**
 * Colours the lines of a difference as they are coloured in their own files.
 *
 * Old and new text are parsed whole and apart: a removed line in the middle of a string or comment
 * gets the colours it had, which a parser that sees both mixed could not give.
 */
import type { Language } from '@codemirror/language';
import { RangeSetBuilder, type Extension } from '@codemirror/state';
import {
  Decoration,
  ViewPlugin,
  type DecorationSet,
  type EditorView,
  type ViewUpdate,
} from '@codemirror/view';
import type { Tree } from '@lezer/common';
import { highlightTree } from '@lezer/highlight';
import { highlightStyle } from './code_editor';
import type { DiffLine, Source } from './diff_model';

export type SourceTrees = Readonly<Record<Source, Tree>>;

export function parseSources(language: Language, texts: Readonly<Record<Source, string>>) {
  return { old: language.parser.parse(texts.old), new: language.parser.parse(texts.new) };
}

const marks = new Map<string, Decoration>();

function markOf(classes: string): Decoration {
  let mark = marks.get(classes);
  if (!mark) {
    mark = Decoration.mark({ class: classes });
    marks.set(classes, mark);
  }
  return mark;
}

function colour(view: EditorView, lines: readonly DiffLine[], trees: SourceTrees): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const { doc } = view.state;
  for (const range of view.visibleRanges) {
    for (let pos = range.from; pos <= range.to;) {
      const at = doc.lineAt(pos);
      const line = lines[at.number - 1];
      if (line && at.length > 0) {
        const shift = at.from - line.offset;
        const end = line.offset + line.text.length;
        highlightTree(
          trees[line.source],
          highlightStyle,
          (from, to, classes) => {
            builder.add(
              Math.max(line.offset, from) + shift,
              Math.min(end, to) + shift,
              markOf(classes),
            );
          },
          line.offset,
          end,
        );
      }
      pos = at.to + 1;
    }
  }
  return builder.finish();
}

export function diffSyntax(lines: readonly DiffLine[], trees: SourceTrees): Extension {
  return ViewPlugin.fromClass(
    class {
      colours: DecorationSet;

      constructor(view: EditorView) {
        this.colours = colour(view, lines, trees);
      }

      update(update: ViewUpdate) {
        if (update.viewportChanged) this.colours = colour(update.view, lines, trees);
      }
    },
    { decorations: (plugin) => plugin.colours },
  );
}
