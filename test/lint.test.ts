import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ESLint } from 'eslint';
import { describe, expect, test } from 'vitest';

// A rule that has stopped firing looks exactly like a rule that nobody breaks; so each is broken here on purpose.

const root = resolve(import.meta.dirname, '..');
const eslint = new ESLint({ cwd: root });

const CORE = 'packages/zab/src/config.ts';
const WEB = 'packages/client/src/index.ts';
const NODE = 'packages/node/src/index.ts';
const PLATFORM = 'packages/ports/src/platform/real-clock.ts';

/** The rules that a snippet breaks when it stands in a file; the file exists, so that rules which ask for types work too. */
async function broken(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(root, file) });
  const rules = (result?.messages ?? []).map((message) => message.ruleId ?? message.message);
  return [...new Set(rules)].filter((rule) => rule !== '@typescript-eslint/no-unused-vars').sort();
}

const nondeterministic = [
  ['no-restricted-globals', 'export const t = Date.now();'],
  ['no-restricted-globals', 'export const t = new Date();'],
  ['no-restricted-globals', 'export const t = performance.now();'],
  ['no-restricted-globals', 'export const c = crypto.randomUUID();'],
  ['no-restricted-globals', 'setTimeout(() => {}, 1);'],
  ['no-restricted-globals', 'setInterval(() => {}, 1);'],
  ['no-restricted-globals', 'setImmediate(() => {});'],
  ['no-restricted-globals', 'queueMicrotask(() => {});'],
  ['no-restricted-globals', 'export const e = process.env;'],
  ['no-restricted-globals', 'console.log(1);'],
  ['no-restricted-globals', "export const b = Buffer.from('a');"],
  ['no-restricted-globals', 'export const g = globalThis;'],
  ['no-restricted-properties', 'export const r = Math.random();'],
  ['no-restricted-properties', 'export const { random } = Math;'],
  ['no-restricted-imports', "import { readFileSync } from 'node:fs';"],
  ['no-restricted-imports', "import { Server } from '@quorate/node';"],
  ['no-restricted-imports', "import { run } from '@quorate/protocol/src/run.js';"],
  ['no-restricted-imports', "import { run } from '../../ports/src/run.js';"],
  ['no-restricted-imports', "import { run } from './run';"],
  ['no-restricted-imports', "export * from '@quorate/testkit';"],
  ['no-restricted-syntax', 'export default 1;'],
  ['no-restricted-syntax', 'let count = 0; export const next = (): number => count++;'],
  ['no-restricted-syntax', 'export let count = 0; export const next = (): number => count++;'],
  ['no-restricted-syntax', "export const load = (): unknown => import('./run.js');"],
  ['@typescript-eslint/consistent-type-imports', "export type Run = import('./run.js').Run;"],
] as const;

const coreOnly = [
  ['no-restricted-syntax', 'export async function f(): Something {}'],
  ['no-restricted-syntax', 'export const f = async (): Something => {};'],
  ['no-restricted-syntax', 'export type P = Promise<number>;'],
  ['no-restricted-syntax', 'export const p = Promise.resolve;'],
  ['no-restricted-syntax', "export const order = 'a'.localeCompare('b');"],
  ['no-restricted-syntax', 'export const text = (1).toLocaleString();'],
  ['no-restricted-syntax', 'export const cube = (x: number): number => x ** 3;'],
  ...['log', 'exp', 'pow', 'sin', 'cos', 'tan', 'atan2'].map(
    (name) => ['no-restricted-properties', `export const f = Math.${name};`] as const,
  ),
] as const;

const everywhere = [
  ['@typescript-eslint/no-explicit-any', 'export const x = (y: any): unknown => y;'],
  ['@typescript-eslint/consistent-type-imports', "import { X } from './x.js'; export const f = (x: X): X => x;"],
  ['@typescript-eslint/ban-ts-comment', '// @ts-expect-error\nexport const x = 1;'],
  ['@typescript-eslint/switch-exhaustiveness-check', "export function f(x: 'a' | 'b'): void { switch (x) { case 'a': f('b'); } }"],
  ['eqeqeq', 'export const f = (x: number): boolean => x == 1;'],
] as const;

describe('ESLint', () => {
  test.each(nondeterministic)('core: %s: %s', async (rule, code) => {
    expect(await broken(CORE, code)).toEqual([rule]);
  });

  test.each(coreOnly)('core: %s: %s', async (rule, code) => {
    expect(await broken(CORE, code)).toEqual([rule]);
  });

  test.each(nondeterministic)('web: %s: %s', async (rule, code) => {
    expect(await broken(WEB, code)).toEqual([rule]);
  });

  test.each(everywhere)('everywhere: %s: %s', async (rule, code) => {
    for (const file of [CORE, WEB, NODE]) expect(await broken(file, code), file).toEqual([rule]);
  });

  test('a promise may not float', async () => {
    for (const file of [WEB, NODE]) {
      expect(await broken(file, 'declare function f(): Promise<void>; f();'), file).toEqual(['@typescript-eslint/no-floating-promises']);
    }
  });

  test('lets a web package be asynchronous, and the platform folders use the platform', async () => {
    expect(await broken(WEB, 'export async function f(p: Promise<void>): Promise<void> { await p; }')).toEqual([]);
    expect(await broken(PLATFORM, 'export const t = Date.now();')).toEqual([]);
    expect(await broken(NODE, "import { readFileSync } from 'node:fs'; export const t = [Date.now(), readFileSync];")).toEqual([]);
  });

  test('lets a package import what the table allows', async () => {
    expect(
      await broken(CORE, "import { a } from '@quorate/ports'; import { b } from '@quorate/protocol'; export const c = [a, b];"),
    ).toEqual([]);
  });

  test('obeys no comment', async () => {
    expect(await broken(CORE, '/* eslint-disable */\nexport const t = Date.now();')).toContain('no-restricted-globals');
  });
});

test('Biome finds a cycle between files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-cycle-'));
  try {
    for (const file of ['biome.json', '.gitignore']) copyFileSync(join(root, file), join(folder, file));
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src/a.ts'), "import { b } from './b.js';\n\nexport const a = () => b;\n");
    writeFileSync(join(folder, 'src/b.ts'), "import { a } from './a.js';\n\nexport const b = () => a;\n");
    const biome = spawnSync(process.execPath, [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'check', '.'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(biome.stdout + biome.stderr).toContain('lint/suspicious/noImportCycles');
    expect(biome.status).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
