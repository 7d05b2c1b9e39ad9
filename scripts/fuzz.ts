/**
 * `npm run test:fuzz`: gives random and mutated bytes to everything that reads bytes from outside. It may throw nothing but the error
 * that is meant for that, mostly `ProtocolError`, and may set aside no more than twice the bytes that it is given, and 64 KiB: a claim of 2^31 elements costs nothing.
 *
 *     npm run test:fuzz                          a million inputs
 *     npm run test:fuzz -- --inputs 1e8 --seed 7
 *     npm run test:fuzz -- --only peer
 *
 * Exit status 1 where an input breaks the rule; it is printed in hexadecimal digits.
 */
import { parseArgs } from 'node:util';
import { getHeapStatistics } from 'node:v8';
import { SeededRandom } from '@quorate/ports';
import { isProtocolError } from '@quorate/protocol';
import { command, whole } from './command-line.ts';
import { mutated } from './fuzz/mutate.ts';
import type { FuzzTarget } from './fuzz/target.ts';
import { fuzzTargets } from './fuzz/targets.ts';

const INPUTS = 1_000_000;
/** What the reader of n bytes may set aside is this many times n, and a little more. */
const BYTES_PER_BYTE = 2;
const SPARE_BYTES = 64 * 1024;
const FAULTS_SHOWN = 3;
const ROUNDS = 4;

/** What became of the inputs of one target. */
interface Tally {
  readonly name: string;
  accepted: number;
  refused: number;
  /** The most that was set aside for one input beyond twice its bytes. */
  spareBytes: number;
}

interface Fault {
  readonly target: string;
  readonly input: Uint8Array;
  readonly what: string;
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({ options: { inputs: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } } });
  const inputs = whole('inputs', values.inputs ?? String(INPUTS), 1);
  const seed = whole('seed', values.seed ?? '1', 0);
  const targets = fuzzTargets(seed).filter(({ name }) => name.includes(values.only ?? ''));
  if (targets.length === 0) throw new RangeError(`--only ${values.only} names no target`);
  const random = new SeededRandom(seed);
  const faults: Fault[] = [];
  const shares = targets.reduce((sum, { share = 1 }) => sum + share, 0);
  const tallies: Tally[] = [];
  for (const target of targets) {
    const tally: Tally = { name: target.name, accepted: 0, refused: 0, spareBytes: 0 };
    tallies.push(tally);
    const before = faults.length;
    const count = Math.ceil((inputs * (target.share ?? 1)) / shares);
    for (let round = 0; round < count && faults.length < before + FAULTS_SHOWN; round++) {
      const input = mutated(target.corpus, random);
      if (round % 2 === 1) target.seal?.(input);
      const what = await tryInput(target, input, tally);
      if (what !== undefined) faults.push({ target: target.name, input, what });
    }
  }
  report(tallies);
  for (const { target, input, what } of faults) console.error(`\n${target}: ${what}\n  ${Buffer.from(input).toString('hex')}`);
  const tried = tallies.reduce((sum, { accepted, refused }) => sum + accepted + refused, 0);
  console.log(`\n${tried} inputs to ${targets.length} readers, seed ${seed}: ${faults.length} faults.`);
  return faults.length === 0;
}

/** What was wrong with how the target took an input; undefined for nothing. */
async function tryInput(target: FuzzTarget, input: Uint8Array, tally: Tally): Promise<string | undefined> {
  const { name, spareBytes = SPARE_BYTES } = target;
  let spare = Number.POSITIVE_INFINITY;
  // The engine sets something aside for itself when it compiles or optimizes; what an input costs, it costs every time.
  for (let round = 0; round < ROUNDS && spare > spareBytes; round++) {
    const before = bytesInUse();
    const accepted = await outcome(target, input);
    if (typeof accepted === 'string') return accepted;
    // Below zero where garbage was collected meanwhile.
    spare = Math.min(spare, bytesInUse() - before - BYTES_PER_BYTE * input.length);
    if (round > 0) continue;
    if (accepted) tally.accepted++;
    else tally.refused++;
  }
  tally.spareBytes = Math.max(tally.spareBytes, spare);
  return spare > spareBytes ? `${name} set ${spare} bytes aside beyond twice its input of ${input.length}` : undefined;
}

/** Whether an input was accepted; where something else was thrown than what may be, that. */
async function outcome({ read, typed = isProtocolError }: FuzzTarget, input: Uint8Array): Promise<boolean | string> {
  try {
    const result = read(input);
    if (result instanceof Promise) await result;
    return true;
  } catch (error) {
    if (typed(error)) return false;
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

function bytesInUse(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

function report(tallies: readonly Tally[]): void {
  console.log(`${'reader'.padEnd(44)} ${'accepted'.padStart(9)} ${'refused'.padStart(9)} ${'beyond 2n'.padStart(10)}`);
  for (const { name, accepted, refused, spareBytes } of tallies)
    console.log(`${name.padEnd(44)} ${String(accepted).padStart(9)} ${String(refused).padStart(9)} ${String(spareBytes).padStart(10)}`);
}

await command(main);
