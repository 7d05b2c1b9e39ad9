/**
 * `npm run check:rules`: breaks each rule of docs/zab.md in the source, one at a time, and sees to it that a test whose name has the rule's number fails. So with
 * every mutant that names a test of its own.
 *
 *     npm run check:rules                        all of them
 *     npm run check:rules -- --only ZK-4646,E1   these mutants
 *
 * Exit status 1 where a rule has no mutant, or a mutant breaks no test of its rule, or not the one that it names.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { createVitest } from 'vitest/node';
import { MUTANTS, mutantOf } from './mutants/catalogue.ts';
import type { Mutant } from './mutants/mutant.ts';
import { checkThatAllFit, patchedFiles } from './mutants/patch.ts';
import { inParallel } from './parallel.ts';

const JOBS_MAX = 2;
const ROOT = new URL('..', import.meta.url).pathname;
const CONDITIONS = ['@quorate/source'];

/** The numbers of the rules that docs/zab.md states. */
function statedRules(): number[] {
  const text = readFileSync(new URL('../docs/zab.md', import.meta.url), 'utf8');
  return [...text.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number));
}

/** The tests of its rule, or the one that it names, that fail with a mutant in the source. */
async function failingTests(mutant: Mutant): Promise<string[]> {
  const { rule, test } = mutant;
  const texts = patchedFiles(mutant);
  const vitest = await createVitest(
    'test',
    {
      config: false,
      root: ROOT,
      watch: false,
      pool: 'threads',
      maxWorkers: 1,
      reporters: [{}],
      include: [test?.file ?? 'packages/zab/test/{rules,replica}.test.ts'],
      testNamePattern: test === undefined ? `^Rule ${rule}:? ` : test.name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    },
    {
      resolve: { conditions: CONDITIONS },
      ssr: { resolve: { conditions: CONDITIONS } },
      plugins: [{ name: 'mutant', enforce: 'pre', load: (id) => texts.get(id) }],
    },
  );
  try {
    const { testModules } = await vitest.start();
    return testModules.flatMap(({ children }) => [...children.allTests('failed')].map(({ fullName }) => fullName));
  } finally {
    await vitest.close();
  }
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
