import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { expect, test } from 'vitest';

// An example that shows its results (`// → …`) is run, and has to print exactly those, in that order. One that shows none, because it is for a place that is not here,
// has to be in the language, and to import what there is.

const root = resolve(import.meta.dirname, '..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'packages')).map((folder) => `packages/${folder}/README.md`),
  ...readdirSync(join(root, 'packages/recipes/docs')).map((page) => `packages/recipes/docs/${page}`),
];

const all = pages.flatMap((page) => {
  const blocks = readFileSync(join(root, page), 'utf8').matchAll(/^```(?:ts|js)\n([^]*?)^```/gm);
  return [...blocks].flatMap(([, code = '']) => {
    const shown = [...code.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1]);
    return [{ page, code, shown }];
  });
});
const examples = all.filter(({ shown }) => shown.length > 0);
const others = all.filter(({ shown }) => shown.length === 0);

const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022, verbatimModuleSyntax: true };

function run(code: string): { stdout: string; stderr: string } {
  const flags = ['--conditions=@quorate/source', '--import', 'tsx', '--input-type=module', '--eval', code];
  // examples/ is the folder from which every package can be imported.
  return spawnSync(process.execPath, flags, { cwd: join(root, 'examples'), encoding: 'utf8', timeout: 30_000 });
}

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(4);
});

test.each(examples)('$page tells the truth', ({ code, shown }) => {
  const { stdout, stderr } = run(transpileModule(code, { compilerOptions }).outputText);
  expect(stderr).toBe('');
  expect(stdout.trimEnd().split('\n')).toEqual(shown);
});

test.each(others)('$page speaks of what there is', ({ code }) => {
  const { diagnostics, outputText } = transpileModule(code, { compilerOptions, reportDiagnostics: true });
  expect(diagnostics).toEqual([]);
  const imports = outputText.match(/^import .*$/gm) ?? [];
  expect(imports).not.toEqual([]);
  expect(run(imports.join('\n')).stderr).toBe('');
});
