import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { npmName, packages } from './architecture.js';

const inject = 'Take it from an injected port (Clock, Random) or leave it to packages/ports/src/platform and packages/node.';

/** What no deterministic file may name: time, chance, scheduling and the platform. */
const platformGlobals = [
  ...['Date', 'performance', 'crypto', 'globalThis', 'window', 'self', 'global', 'process', 'console', 'Buffer', 'fetch'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask'],
  ...['WeakRef', 'FinalizationRegistry', 'Atomics', 'SharedArrayBuffer', 'eval', 'Function', 'require'],
].map((name) => ({ name, message: inject }));

const randomness = [{ object: 'Math', property: 'random', message: inject }];

/** Functions whose results the language leaves to the engine. */
const inexactMath = [
  ...['log', 'log2', 'log10', 'log1p', 'exp', 'expm1', 'pow', 'sqrt', 'cbrt', 'hypot'],
  ...['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'atan2', 'sinh', 'cosh', 'tanh', 'asinh', 'acosh', 'atanh'],
].map((property) => ({ object: 'Math', property, message: 'Engines round it differently, so replicas would differ.' }));

const asynchrony = 'A core has no asynchrony: it takes inputs and gives effects.';
const locale = 'The result depends on the locale of the machine; compare code units or bytes.';

const house = [
  { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
  {
    selector: 'Program > VariableDeclaration[kind!="const"]',
    message: 'A module has no mutable state; two ensembles live in one process.',
  },
  { selector: 'ExportNamedDeclaration > VariableDeclaration[kind!="const"]', message: 'A module has no mutable state.' },
];

const staticImports = [{ selector: 'ImportExpression', message: 'Import statically, so that the import table sees it.' }];

const coreSyntax = [
  { selector: ':function[async=true]', message: asynchrony },
  { selector: 'AwaitExpression', message: asynchrony },
  { selector: 'ForOfStatement[await=true]', message: asynchrony },
  { selector: 'Identifier[name="Promise"]', message: asynchrony },
  { selector: 'MemberExpression > Identifier.property[name=/^(localeCompare|toLocale.*)$/]', message: locale },
  { selector: 'BinaryExpression[operator="**"][left.value!=2]', message: 'Engines agree on powers of two alone.' },
];

/**
 * The source folders of all packages of the given kinds.
 * @param {string[]} kinds
 */
const sources = (...kinds) =>
  Object.entries(packages).flatMap(([folder, { kind }]) => (kinds.includes(kind) ? [`packages/${folder}/src/**`] : []));

const platformFolders = Object.entries(packages).flatMap(([folder, { platform }]) =>
  platform ? [`packages/${folder}/${platform}/**`] : [],
);

/**
 * What one package may import, as a rule.
 * @param {string} folder
 * @param {import('./architecture.js').PackageRules} rules
 * @returns {import('eslint').Linter.Config}
 */
function importsOf(folder, { kind, imports, libraries = [] }) {
  const allowed = [
    String.raw`\.\.?/`,
    ...imports.map((name) => `${npmName(name)}$`),
    ...libraries.map((name) => `${name}(/|$)`),
    ...(kind === 'node' ? ['node:'] : []),
  ];
  return {
    files: [`packages/${folder}/src/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: `^(?!${allowed.join('|')})`, message: `architecture.js does not let ${npmName(folder)} import this.` },
            { regex: String.raw`^\.\.?/(.*/)?(src|test|packages)/`, message: 'Import another package by its npm name.' },
            { regex: String.raw`^\.\.?/.*(?<!\.js)$`, message: 'A relative import ends in .js.' },
          ],
        },
      ],
      'no-restricted-syntax': ['error', ...house, ...staticImports, ...(kind === 'core' ? coreSyntax : [])],
    },
  };
}

export default defineConfig(
  { ignores: ['**/dist/', '**/coverage/', '**/*.d.ts'] },
  {
    // There is no way to switch a rule off from inside a file.
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  ...Object.entries(packages).map(([folder, rules]) => importsOf(folder, rules)),
  // The determinism rule.
  {
    files: sources('core', 'web'),
    ignores: platformFolders,
    rules: {
      'no-restricted-globals': ['error', ...platformGlobals],
      'no-restricted-properties': ['error', ...randomness],
    },
  },
  {
    files: sources('core'),
    ignores: platformFolders,
    rules: { 'no-restricted-properties': ['error', ...randomness, ...inexactMath] },
  },
);
