/** The demo project's files in memory, and differences between two sets of them. */
import type { FileChange, FileDiff, TreeFile } from '$lib/bindings';
import parser from '../../data/demo-project/src/parser.py?raw';
import tests from '../../data/demo-project/tests/test_parser.py?raw';
import readme from '../../data/demo-project/README.md?raw';

export type Files = ReadonlyMap<string, string>;

export const PROJECT: Files = new Map([
  ['README.md', readme],
  ['src/__init__.py', ''],
  ['src/parser.py', parser],
  ['tests/__init__.py', ''],
  ['tests/test_parser.py', tests],
]);

function hash(text: string): string {
  let value = 7;
  for (const char of text) value = (value * 31 + (char.codePointAt(0) ?? 0)) % 2_147_483_647;
  return value.toString(16).padStart(40, '0');
}

/** Lines that only one side has; good enough to look at. */
function counts(old: string, next: string): [number, number] {
  const bag = (text: string) => text.split('\n');
  const [a, b] = [bag(old), bag(next)];
  const added = b.filter((line) => !a.includes(line)).length;
  const removed = a.filter((line) => !b.includes(line)).length;
  return [added, removed];
}

export function changesBetween(from: Files, to: Files): FileChange[] {
  const paths = [...new Set([...from.keys(), ...to.keys()])].sort();
  return paths.flatMap((path): FileChange[] => {
    const [old, next] = [from.get(path), to.get(path)];
    if (old === next) return [];
    const version = (text: string) => ({ blob: hash(text), mode: 0o100644 });
    const [added, removed] = counts(old ?? '', next ?? '');
    return [
      {
        path,
        kind: old === undefined ? 'added' : next === undefined ? 'deleted' : 'modified',
        old: old === undefined ? null : version(old),
        new: next === undefined ? null : version(next),
        added_lines: added,
        removed_lines: removed,
      },
    ];
  });
}

export function diffBetween(from: Files, to: Files): FileDiff[] {
  return changesBetween(from, to).map((change) => ({
    change,
    old_text: from.get(change.path) ?? null,
    new_text: to.get(change.path) ?? null,
    binary: false,
    too_large: false,
  }));
}

export function treeOf(files: Files): TreeFile[] {
  return [...files].map(([path, text]) => ({
    path,
    size: text.length,
    executable: false,
    symlink: false,
  }));
}

/** What `python3 -m unittest -v` would print, in colour. */
export function runTests(files: Files): { output: string; passed: boolean } {
  const source = files.get('src/parser.py') ?? '';
  const test = files.get('tests/test_parser.py') ?? '';
  const good = source.includes('except IndexError') || source.includes('if not text.strip()');
  const bent = test.includes('assertRaises(ValueError):\n            parse("")');
  const passed = good || (bent && source.includes('if lines else'));
  const green = '\u001b[32mok\u001b[0m';
  const red = '\u001b[31mERROR\u001b[0m';
  const lines = [
    `test_a_file_without_header_is_refused (tests.test_parser.ParseTest) ... ${green}`,
    `test_comments_and_blank_lines_are_skipped (tests.test_parser.ParseTest) ... ${green}`,
    `test_empty_input_gives_no_settings (tests.test_parser.ParseTest) ... ${passed ? green : red}`,
    `test_settings_are_read (tests.test_parser.ParseTest) ... ${green}`,
  ];
  if (!passed) {
    lines.push(
      '',
      '\u001b[1m======================================================================\u001b[0m',
      `${red}: test_empty_input_gives_no_settings (tests.test_parser.ParseTest)`,
      '----------------------------------------------------------------------',
      'Traceback (most recent call last):',
      '  File "tests/test_parser.py", line 20, in test_empty_input_gives_no_settings',
      '    self.assertEqual(parse(""), {})',
      '  File "src/parser.py", line 11, in parse',
      '    raise ValueError("the header line is missing")',
      '\u001b[31mValueError: the header line is missing\u001b[0m',
    );
  }
  lines.push('', '----------------------------------------------------------------------');
  lines.push('Ran 4 tests in 0.001s', '');
  lines.push(passed ? '\u001b[32mOK\u001b[0m' : '\u001b[31mFAILED (errors=1)\u001b[0m', '');
  return { output: lines.join('\n'), passed };
}
