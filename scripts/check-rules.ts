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
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createVitest, type Vitest } from 'vitest/node';
import { MUTANTS, mutantOf } from './mutants/catalogue.ts';
import type { Mutant } from './mutants/mutant.ts';
import { checkThatAllFit, patchedFiles } from './mutants/patch.ts';
import { inParallel } from './parallel.ts';

const JOBS_MAX = 2;
const ROOT = resolve(import.meta.dirname, '..');
const FILES_OF_RULES: readonly string[] = ['packages/zab/test/rules.test.ts', 'packages/zab/test/replica.test.ts'];
const CONDITIONS = ['@quorate/source'];

/** The numbers of the rules that docs/zab.md states. */
function statedRules(): number[] {
  const text = readFileSync(new URL('../docs/zab.md', import.meta.url), 'utf8');
  return [...text.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number));
}

/** A test runner that is kept from mutant to mutant, so that only what a mutant changes is read again. */
class Runner {
  readonly #vitest: Vitest;
  readonly #texts: Map<string, string>;

  private constructor(vitest: Vitest, texts: Map<string, string>) {
    this.#vitest = vitest;
    this.#texts = texts;
  }

  static async start(): Promise<Runner> {
    const texts = new Map<string, string>();
    const vitest = await createVitest(
      'test',
      { config: false, root: ROOT, watch: false, pool: 'threads', maxWorkers: 1, reporters: [{}] },
      {
        resolve: { conditions: CONDITIONS },
        ssr: { resolve: { conditions: CONDITIONS } },
        plugins: [{ name: 'mutant', enforce: 'pre', load: (id) => texts.get(id) }],
      },
    );
    await vitest.standalone();
    return new Runner(vitest, texts);
  }

  /** The tests of its rule, or the one that it names, that fail with a mutant in the source. */
  async failingTests(mutant: Mutant): Promise<string[]> {
    const { rule, test } = mutant;
    this.#put(patchedFiles(mutant));
    this.#vitest.setGlobalTestNamePattern(
      test === undefined ? new RegExp(`^Rule ${rule}:? `) : new RegExp(test.name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')),
    );
    const project = this.#vitest.getRootProject();
    const files = (test === undefined ? FILES_OF_RULES : [test.file]).map((file) => resolve(ROOT, file));
    const { testModules } = await this.#vitest.runTestSpecifications(files.map((file) => project.createSpecification(file)));
    // It tells of the files of earlier runs, too, as they went then.
    return testModules
      .filter(({ moduleId }) => files.includes(moduleId))
      .flatMap(({ children }) => [...children.allTests('failed')].map(({ fullName }) => fullName));
  }

  close(): Promise<void> {
    return this.#vitest.close();
  }

  /** Puts these texts in the place of the last ones. */
  #put(texts: ReadonlyMap<string, string>): void {
    const changed = [...this.#texts.keys(), ...texts.keys()];
    this.#texts.clear();
    for (const [path, text] of texts) this.#texts.set(path, text);
    for (const path of changed) this.#vitest.invalidateFile(path);
  }
}

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true, default: [] } } });
const ids = values.only.flatMap((list) => list.split(','));
const mutants = (ids.length === 0 ? MUTANTS : ids.map(mutantOf)).filter(({ rule, test }) => (rule ?? test) !== undefined);
checkThatAllFit(mutants);

const faults: string[] = [];
const check = async (mutant: Mutant, runner: Runner): Promise<void> => {
  const failing = await runner.failingTests(mutant);
  const what = mutant.test === undefined ? `rule ${mutant.rule}: ${mutant.id}` : `${mutant.test.file}: ${mutant.id}`;
  if (failing.length === 0) faults.push(`${what} breaks no test of that rule, or of that name: ${mutant.title}`);
  else console.log(`${what} breaks ${failing.length}: ${failing[0]}`);
};
const jobs = Math.min(JOBS_MAX, availableParallelism());
const idle = await Promise.all(Array.from({ length: jobs }, () => Runner.start()));
await inParallel(
  jobs,
  mutants.map((mutant) => async () => {
    const runner = idle.pop() as Runner;
    await check(mutant, runner);
    idle.push(runner);
  }),
);
await Promise.all(idle.map((runner) => runner.close()));
if (ids.length === 0) {
  const broken = new Set(mutants.map(({ rule }) => rule));
  for (const rule of statedRules()) if (!broken.has(rule)) faults.push(`rule ${rule} has no mutant`);
}
for (const fault of faults) console.error(fault);
console.log(`${mutants.length} mutants, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
