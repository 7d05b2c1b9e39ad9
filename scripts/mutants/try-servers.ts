/** Bugs put into the servers of a test that runs them as processes of their own: the test has to find each. */
import { bundle } from '../bundle.ts';
import { PROGRAM } from '../crash/ensemble.ts';
import type { Mutant } from './mutant.ts';

/** What came of a run: what was wrong, in words. */
export interface Faulty {
  readonly faults: readonly string[];
}

/** True where every bug was found. */
export async function tryMutants(folder: string, mutants: readonly Mutant[], run: (program: string) => Promise<Faulty>): Promise<boolean> {
  let found = 0;
  for (const mutant of mutants) {
    const { faults } = await run(await bundle(PROGRAM, { folder, mutant }));
    if (faults.length > 0) found++;
    console.log(`${mutant.id}: ${faults.length === 0 ? 'NOT FOUND' : `found: ${faults[0]}`}`);
  }
  console.log(`${found} of ${mutants.length} bugs found`);
  return found === mutants.length;
}
