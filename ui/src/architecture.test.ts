import { expect, it } from 'vitest';

const sources = import.meta.glob<string>('/src/**/*.{ts,svelte}', {
  query: '?raw',
  import: 'default',
  eager: true,
});

const IMPORT =
  /(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]|import\(['"]([^'"]+)['"]\)/g;

/** The file of the project that an import means; null for a package. */
function resolve(from: string, target: string): string | null {
  let path = target.replace(/\?.*$/, '');
  if (path.startsWith('$lib/')) path = path.replace('$lib/', '/src/lib/');
  else if (path.startsWith('.')) path = new URL(path, `file://${from}`).pathname;
  else return null;
  return [path, `${path}.ts`, `${path}/index.ts`].find((file) => file in sources) ?? null;
}

function imports(file: string): string[] {
  const text = sources[file] ?? '';
  return [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '');
}

const isTest = (file: string) => file.endsWith('.test.ts') || file.startsWith('/src/test');
const files = Object.keys(sources).filter(
  (file) => !isTest(file) && !file.startsWith('/src/paraglide/'),
);

it('has no import cycle', () => {
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (file: string, path: string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    state.set(file, 'open');
    for (const target of imports(file)) {
      const next = resolve(file, target);
      if (next) visit(next, [...path, file]);
    }
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});

it('names Tauri only in the transport, and in the bindings that are generated', () => {
  const naming = files.filter((file) =>
    imports(file).some((target) => target.startsWith('@tauri-apps/')),
  );
  expect(naming.sort()).toEqual(['/src/lib/bindings.ts', '/src/lib/transport/tauri.ts']);
});

it('imports nothing from the tests or the development preview into the app', () => {
  const wrong = files.filter((file) =>
    imports(file).some((target) => /(^|\/)(dev|test)\//.test(target) && target.startsWith('.')),
  );
  expect(wrong).toEqual([]);
});
