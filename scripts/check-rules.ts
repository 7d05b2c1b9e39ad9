/**
 * `npm run check:rules`: breaks each rule of docs/zab.md in the source, one at a time, and sees to it that a test whose name has the rule's number fails. So with
 * every mutant that names a test of its own.
 *
 *     npm run check:rules                        all of them
 *     npm run check:rules -- --only ZK-4646,E1   these mutants
 *
 * Exit status 1 where a rule has no mutant, or a mutant breaks no test of its rule, or not the one that it names.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { MUTANTS, mutantOf } from './mutants/catalogue.ts';
import type { Mutant } from './mutants/mutant.ts';
import { checkThatAllFit } from './mutants/patch.ts';
import { inParallel } from './parallel.ts';

const JOBS_MAX = 2;

/** What a test run says, as far as it is read here. */
interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[] }[];
}

/** The numbers of the rules that docs/zab.md states. */
function statedRules(): number[] {
  const text = readFileSync(new URL('../docs/zab.md', import.meta.url), 'utf8');
  return [...text.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number));
}

/** The tests of its rule, or the one that it names, that fail with a mutant in the source. */
async function failingTests({ id, rule, test }: Mutant): Promise<string[]> {
  const names = test === undefined ? `^Rule ${rule}:? ` : test.name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const args = ['run', '--config', 'scripts/rules/vitest.config.ts', '--reporter', 'json', '-t', names, '--pool', 'threads'];
  const report = JSON.parse(await output('node_modules/vitest/vitest.mjs', args, { QUORATE_MUTANT: id })) as Report;
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  return tests.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
}

/** What a script prints, whatever its exit status. */
function output(script: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, [script, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
}

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true, default: [] } } });
const ids = values.only.flatMap((list) => list.split(','));
const mutants = (ids.length === 0 ? MUTANTS : ids.map(mutantOf)).filter(({ rule, test }) => (rule ?? test) !== undefined);
checkThatAllFit(mutants);

const faults: string[] = [];
const check = async (mutant: Mutant): Promise<void> => {
  const failing = await failingTests(mutant);
  const what = mutant.test === undefined ? `rule ${mutant.rule}: ${mutant.id}` : `${mutant.test.file}: ${mutant.id}`;
  if (failing.length === 0) faults.push(`${what} breaks no test of that rule, or of that name: ${mutant.title}`);
  else console.log(`${what} breaks ${failing.length}: ${failing[0]}`);
};
await inParallel(
  Math.min(JOBS_MAX, availableParallelism()),
  mutants.map((mutant) => () => check(mutant)),
);
if (ids.length === 0) {
  const broken = new Set(mutants.map(({ rule }) => rule));
  for (const rule of statedRules()) if (!broken.has(rule)) faults.push(`rule ${rule} has no mutant`);
}
for (const fault of faults) console.error(fault);
console.log(`${mutants.length} mutants, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
