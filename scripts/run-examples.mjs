// Runs every example as a program of its own: each has to end by itself, in time and with status 0. With `--one NAME …` it runs that one, with the arguments behind the name.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const EXAMPLE_MS_MAX = 180_000;

/** @type {Record<string, readonly string[]>} what an example is told; most need nothing */
const argumentsOf = { tour: ['--exit', '--port', '0'] };

const examples = readdirSync(`${root}examples/src`)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length));

/**
 * @param {string} name
 * @param {readonly string[]} args
 * @param {number} [timeout] in milliseconds; none when absent
 * @returns how it has ended, where that was not well
 */
function run(name, args, timeout) {
  const flags = ['--conditions=@quorate/source', '--import', 'tsx', `examples/src/${name}.ts`, ...args];
  const { status, signal } = spawnSync(process.execPath, flags, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], timeout });
  return status === 0 ? undefined : (signal ?? `status ${status}`);
}

function runAll() {
  let failed = 0;
  for (const name of examples) {
    console.log(`\n--- examples/src/${name}.ts`);
    const failure = run(name, argumentsOf[name] ?? [], EXAMPLE_MS_MAX);
    if (failure === undefined) continue;
    failed++;
    console.error(`examples/src/${name}.ts ended with ${failure}`);
  }
  console.log(`\n${examples.length - failed} examples passed, ${failed} failed`);
  return failed === 0;
}

/**
 * @param {string | undefined} name
 * @param {readonly string[]} args
 */
function runOne(name, args) {
  if (name !== undefined && examples.includes(name)) return run(name, args) === undefined;
  console.error(`npm run example NAME, one of: ${examples.join(', ')}`);
  return false;
}

const [, , one, name, ...args] = process.argv;
process.exitCode = (one === '--one' ? runOne(name, args) : runAll()) ? 0 : 1;
