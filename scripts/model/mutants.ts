/** Puts known bugs back, one at a time, and has the model checker look for each, breadth-first, in wider and wider scopes. */
import type { Scope } from '@quorate/testkit';
import { bundle } from '../bundle.ts';
import { MUTANTS } from '../mutants/catalogue.ts';
import type { Mutant } from '../mutants/mutant.ts';
import { StaleMutants } from '../mutants/patch.ts';
import { inParallel } from '../parallel.ts';
import { scopeName } from './report.ts';
import { CHILD, type ModelOutcome, runModel } from './run.ts';

/** Those of the Remix paper, as far as this core can have them, and others about what is durable, synchronized and counted. */
const LOOKED_FOR = [
  ...['ZK-3023', 'ZK-4394', 'ZK-4643', 'ZK-4646', 'ZK-4685', 'ZK-4712'],
  ...[
    'ZK-3911',
    'ZK-2845-vote',
    'ack-before-flush',
    'ZK-4882',
    'quorum-half',
    'commit-own-unflushed',
    'establish-early',
    'establish-undurable',
  ],
  ...['snap-in-two-orders', 'diff-instead-of-trunc', 'ZK-3701', 'ZK-1154', 'promise-undurable', 'E3'],
];

const BASE: Scope = {
  servers: 3,
  txns: 1,
  crashes: 1,
  timeouts: 0,
  cuts: 0,
  elections: 2,
  from: 'elected',
  orders: 'one',
  wipes: 0,
  beats: 0,
  handOvers: 0,
};

/** From the smallest to where most bugs must show. */
const LADDER: readonly Scope[] = [
  { ...BASE, servers: 2, txns: 2, elections: 4, orders: 'all' },
  { ...BASE, txns: 2, crashes: 0 },
  BASE,
  { ...BASE, txns: 2 },
];
const STATES_MAX = 1_000_000;

/** True where each was found. @param ids none for those that are looked for by default. */
export async function checkMutants(ids: readonly string[], { folder, jobs }: { folder: string; jobs: number }): Promise<boolean> {
  const mutants = (ids.length === 0 ? LOOKED_FOR : ids).map(mutantOf);
  let allFound = true;
  console.log('mutant | property | depth | states | time | scope');
  const look = async (mutant: Mutant): Promise<void> => {
    try {
      if (!(await lookFor(mutant, { folder, told: mutants.length === 1 }))) allFound = false;
    } catch (error) {
      if (!(error instanceof StaleMutants)) throw error;
      console.log(error.message);
      allFound = false;
    }
  };
  await inParallel(
    jobs,
    mutants.map((mutant) => () => look(mutant)),
  );
  return allFound;
}

function mutantOf(id: string): Mutant {
  const mutant = MUTANTS.find((one) => one.id === id);
  if (mutant === undefined) throw new RangeError(`--only names a mutant, not "${id}"`);
  return mutant;
}

/** @param told whether the way to the bug is printed. */
async function lookFor(mutant: Mutant, { folder, told }: { readonly folder: string; readonly told: boolean }): Promise<boolean> {
  const program = await bundle(CHILD, { folder, mutant });
  let states = 0;
  let seconds = 0;
  for (const scope of LADDER) {
    const outcome: ModelOutcome = await runModel(program, { scope, order: 'breadth', statesMax: STATES_MAX });
    states += outcome.states;
    seconds += outcome.seconds;
    const { violation } = outcome;
    if (violation === undefined) continue;
    const found = [mutant.id, violation.property, violation.depth, states, `${seconds.toFixed(1)} s`, scopeName(scope)];
    console.log(found.join(' | '));
    if (told) for (const step of violation.trace) console.log(`    ${step}`);
    return true;
  }
  console.log(`${mutant.id} | NOT FOUND | | ${states} | ${seconds.toFixed(1)} s |`);
  return false;
}
