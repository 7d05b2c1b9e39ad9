import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { expect, test } from 'vitest';

// An example that shows its results (`// → …`) is run, and has to print exactly those, in that order.

const root = resolve(import.meta.dirname, '..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'packages')).map((folder) => `packages/${folder}/README.md`),
  ...readdirSync(join(root, 'packages/recipes/docs')).map((page) => `packages/recipes/docs/${page}`),
];

const examples = pages.flatMap((page) => {
  const blocks = readFileSync(join(root, page), 'utf8').matchAll(/^```(?:ts|js)\n([^]*?)^```/gm);
  return [...blocks].flatMap(([, code = '']) => {
    const shown = [...code.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1]);
    return shown.length > 0 ? [{ page, code, shown }] : [];
  });
});

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(4);
});

test.each(examples)('$page tells the truth', ({ code, shown }) => {
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022, verbatimModuleSyntax: true };
  const javascript = transpileModule(code, { compilerOptions }).outputText;
  const flags = ['--conditions=@quorate/source', '--import', 'tsx', '--input-type=module', '--eval', javascript];
  // examples/ is the folder from which every package can be imported.
  const { stdout, stderr } = spawnSync(process.execPath, flags, { cwd: join(root, 'examples'), encoding: 'utf8', timeout: 30_000 });
  expect(stderr).toBe('');
  expect(stdout.trimEnd().split('\n')).toEqual(shown);
});
