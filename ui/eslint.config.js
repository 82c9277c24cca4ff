import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** What only some folders may import; each folder's rule says again what holds everywhere. */
const tauri = {
  group: ['@tauri-apps/*'],
  message: 'Only src/lib/transport names Tauri; ask through its Backend.',
};
const commands = {
  group: ['$lib/bindings'],
  allowTypeImports: true,
  message: 'Only src/lib/transport calls commands; elsewhere the bindings give types.',
};
const tauriTransport = {
  group: ['$lib/transport/tauri', '**/transport/tauri'],
  message: 'The app is given its back end; only main.ts knows which.',
};
const state = {
  group: ['$lib/state/*', '$lib/screens/*', '$lib/components/session/*', '$lib/transport/*'],
  message: 'Leaves and basic components get what they show as properties.',
};
const restrict = (...patterns) => [
  'error',
  { patterns: patterns.map((pattern) => ({ allowTypeImports: false, ...pattern })) },
];

export default ts.config(
  {
    ignores: ['dist/', 'node_modules/', 'src/paraglide/', 'src/lib/bindings.ts', 'project.inlang/'],
  },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  ...ts.configs.stylisticTypeChecked,
  ...svelte.configs.recommended,
  ...svelte.configs.prettier,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js'] },
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports' },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-restricted-imports': restrict(tauri, commands, tauriTransport),
      'max-lines': ['error', { max: 400, skipComments: true }],
      // An empty text counts as nothing.
      '@typescript-eslint/prefer-nullish-coalescing': [
        'error',
        { ignorePrimitives: { string: true } },
      ],
      'no-console': ['error', { allow: ['warn'] }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts', '**/*.svelte.js'],
    languageOptions: {
      parserOptions: { parser: ts.parser, svelteConfig },
    },
    rules: {
      // Properties of components are `let` by Svelte's own convention.
      'prefer-const': 'off',
      'svelte/prefer-const': ['error', { destructuring: 'all' }],
      'svelte/no-navigation-without-resolve': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // `void signal;` in an effect says what the effect depends on.
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // What is not shown need not be reactive; what is shown and is not reactive is seen at once.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  {
    files: ['**/*.svelte'],
    rules: {
      // The linter does not know the types of properties that templates pass; svelte-check does.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['src/lib/transport/**', 'src/main.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': 'off' },
  },
  {
    files: ['src/lib/components/leaf/**', 'src/lib/components/ui/**'],
    rules: { '@typescript-eslint/no-restricted-imports': restrict(tauri, commands, state) },
  },
  {
    files: ['**/*.js'],
    extends: [ts.configs.disableTypeChecked],
  },
  {
    files: ['**/*.test.ts', 'src/test_setup.ts', 'src/test/**', 'dev/**'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      'max-lines': ['error', { max: 600, skipComments: true }],
    },
  },
);
