/** Files and differences to look at. */
import type { ChangeKind, FileChange, FileDiff, TreeFile } from '$lib/bindings';

const PARSER_OLD = `"""Reads settings files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HEADER = re.compile(r"^# settings v(\\d+)$")
LIMIT = 1_000


@dataclass(frozen=True)
class Setting:
    name: str
    value: str
    line: int


def parse(text: str) -> dict[str, str]:
    """Returns the settings of a text, last one first."""
    lines = text.splitlines()
    if not HEADER.match(lines[0]):
        raise ValueError("the header line is missing")
    settings = {}
    for number, line in enumerate(lines[1:], start=2):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, _, value = line.partition("=")
        settings[name.strip()] = value.strip()
    return settings


def load(path: Path) -> dict[str, str]:
    """Reads a settings file."""
    return parse(path.read_text())


def dump(settings: dict[str, str]) -> str:
    body = "\\n".join(f"{name} = {value}" for name, value in settings.items())
    return f"# settings v1\\n{body}\\n"


def names(settings: dict[str, str]) -> list[str]:
    return sorted(settings)


def merge(*many: dict[str, str]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for settings in many:
        merged.update(settings)
    return merged
`;

export const PARSER_NEW = PARSER_OLD.replace(
  `    lines = text.splitlines()
    if not HEADER.match(lines[0]):
        raise ValueError("the header line is missing")
    settings = {}
    for number, line in enumerate(lines[1:], start=2):
        line = line.strip()
`,
  `    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        return {}
    if not HEADER.match(lines[0]):
        raise ValueError("the first line is no header")
    settings: dict[str, str] = {}
    for number, line in enumerate(lines[1:], start=2):
        line = line.strip()
`,
).replace(
  `def names(settings: dict[str, str]) -> list[str]:
    return sorted(settings)


`,
  '',
);

const TEST_NEW = `import unittest

from src.parser import parse


class EmptyTest(unittest.TestCase):
    def test_empty_input_gives_no_settings(self):
        self.assertEqual(parse(""), {})

    def test_blank_lines_give_no_settings(self):
        self.assertEqual(parse("\\n\\n"), {})


if __name__ == "__main__":
    unittest.main()
`;

const CONFIG_OLD = `{
  "name": "settings",
  "version": "0.4.1",
  "scripts": { "test": "python3 -m unittest" }
}`;
const CONFIG_NEW = `{
  "name": "settings",
  "version": "0.4.2",
  "scripts": { "test": "python3 -m unittest -v" },
  "private": true
}
`;

function change(
  path: string,
  kind: ChangeKind,
  counts: [number, number] | null,
  modes: [number, number] = [0o100644, 0o100644],
): FileChange {
  const version = (mode: number) => ({ blob: '0'.repeat(40), mode });
  return {
    path,
    kind,
    old: kind === 'added' ? null : version(modes[0]),
    new: kind === 'deleted' ? null : version(modes[1]),
    added_lines: counts?.[0] ?? null,
    removed_lines: counts?.[1] ?? null,
  };
}

function diff(of: FileChange, old: string | null, now: string | null): FileDiff {
  return { change: of, old_text: old, new_text: now, binary: false, too_large: false };
}

export const DIFFS: FileDiff[] = [
  diff(change('src/parser.py', 'modified', [4, 6]), PARSER_OLD, PARSER_NEW),
  diff(change('tests/unit/settings/reading/test_empty.py', 'added', [15, 0]), null, TEST_NEW),
  diff(change('package.json', 'modified', [3, 2]), CONFIG_OLD, CONFIG_NEW),
  diff(
    change('src/legacy/old_parser.py', 'deleted', [0, 4]),
    'def parse(text):\n    # kept for the old importer\n    return dict(l.split("=") for l in text.split())\n\n',
    null,
  ),
  diff(change('bin/check', 'mode_changed', [0, 0], [0o100644, 0o100755]), 'x\n', 'x\n'),
  { ...diff(change('docs/logo.png', 'modified', null), null, null), binary: true },
  { ...diff(change('data/all.jsonl', 'added', [182_044, 0]), null, null), too_large: true },
  diff(change('notes.txt', 'modified', [2, 2]), 'one\r\ntwo\r\n', 'one\ntwo\n'),
];

export const CHANGED: ReadonlyMap<string, ChangeKind> = new Map(
  DIFFS.map(({ change: { path, kind } }) => [path, kind]),
);

const PATHS = [
  '.editorconfig',
  '.gitignore',
  'LICENSE',
  'README.md',
  'bin/check',
  'data/all.jsonl',
  'docs/guide/install.md',
  'docs/guide/usage.md',
  'docs/logo.png',
  'notes.txt',
  'package.json',
  'src/__init__.py',
  'src/parser.py',
  'src/settings/defaults.py',
  'src/settings/schema.py',
  'tests/__init__.py',
  'tests/test_parser.py',
  'tests/unit/settings/reading/test_empty.py',
  'tests/unit/settings/reading/test_header.py',
];

const file = (path: string): TreeFile => ({ path, size: 1200, executable: false, symlink: false });

export const FILES: TreeFile[] = PATHS.map(file);

export function manyFiles(count: number): TreeFile[] {
  return Array.from({ length: count }, (_, index) => {
    const pkg = String(index % 40).padStart(2, '0');
    const folder = index % 3 === 0 ? 'src' : index % 3 === 1 ? 'test/unit' : 'src/lib/inner';
    return file(`packages/pkg-${pkg}/${folder}/module-${Math.floor(index / 40)}.ts`);
  });
}
