/**
 * `npm run test:fuzz`: gives random and mutated bytes to everything that reads bytes from outside. It may throw nothing but the error
 * that is meant for that, mostly `ProtocolError`, and may set aside no more than twice the bytes that it is given, and 64 KiB: a claim of 2^31 elements,
 * which is made at every place of good inputs first, costs nothing. Large good inputs then show how that grows.
 *
 *     npm run test:fuzz                          a million inputs
 *     npm run test:fuzz -- --inputs 1e8 --seed 7
 *     npm run test:fuzz -- --only peer
 *
 * Exit status 1 where an input breaks the rule; it is printed in hexadecimal digits.
 */
import { parseArgs } from 'node:util';
import { GCProfiler, type GCProfilerResult, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { SeededRandom } from '@quorate/ports';
import { isProtocolError } from '@quorate/protocol';
import { command, whole } from './command-line.ts';
import { growths } from './fuzz/growth.ts';
import { claims, mutated } from './fuzz/mutate.ts';
import type { FuzzTarget, Growth, Reader } from './fuzz/target.ts';
import { fuzzTargets } from './fuzz/targets.ts';

const INPUTS = 1_000_000;
/** What the reader of n bytes may set aside is this many times n, and a little more. */
const BYTES_PER_BYTE = 2;
const SPARE_BYTES = 64 * 1024;
const FAULTS_SHOWN = 3;
const NAME_WIDTH = 44;
const SHOWN_BYTES = 4096;
const ROUNDS = 8;
const WARM_ROUNDS = 100;
/** Of the large inputs. */
const GROWTH_BYTES = [64, 512].map((kibibytes) => kibibytes * 1024);

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
  const grown = growths().filter(({ name }) => name.includes(values.only ?? ''));
  if (targets.length + grown.length === 0) throw new RangeError(`--only ${values.only} names no target`);
  const random = new SeededRandom(seed);
  // Else a large array is given back when nobody looks, and what was set aside for a claim cannot be seen.
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
  const faults: Fault[] = [];
  const shares = targets.reduce((sum, { share = 1 }) => sum + share, 0);
  const tallies: Tally[] = [];
  for (const target of targets) {
    const tally: Tally = { name: target.name, accepted: 0, refused: 0, spareBytes: 0 };
    tallies.push(tally);
    const before = faults.length;
    await warmUp(target);
    for (const input of inputsOf(target, Math.ceil((inputs * (target.share ?? 1)) / shares), random)) {
      const what = await tryInput(target, input, tally);
      if (what !== undefined) faults.push({ target: target.name, input, what });
      if (faults.length === before + FAULTS_SHOWN) break;
    }
  }
  report(tallies);
  console.log(`\n${'large inputs'.padEnd(NAME_WIDTH)} ${'bytes per byte'.padStart(16)} ${'at most'.padStart(10)}`);
  for (const growth of grown) faults.push(...(await faultsOfGrowth(growth)));
  for (const { target, input, what } of faults)
    console.error(`\n${target}: ${what}\n  ${Buffer.from(input.subarray(0, SHOWN_BYTES)).toString('hex')}`);
  const tried = tallies.reduce((sum, { accepted, refused }) => sum + accepted + refused, 0);
  console.log(`\n${tried} inputs to ${targets.length} readers, seed ${seed}: ${faults.length} faults.`);
  return faults.length === 0;
}

/** Until the engine has compiled a reader, it makes objects of numbers, and of what it learns of the code. */
async function warmUp(target: FuzzTarget): Promise<void> {
  const { corpus } = target;
  for (let round = 0; round < WARM_ROUNDS; round++) await outcome(target, prepared(target, corpus[round % corpus.length] as Uint8Array));
}

/** Claims in good inputs, then what chance gives. */
function* inputsOf(target: FuzzTarget, count: number, random: SeededRandom): Generator<Uint8Array> {
  let made = 0;
  for (const input of claims(target.corpus)) {
    if (made++ >= count) return;
    target.seal?.(input);
    yield input;
  }
  for (; made < count; made++) {
    const input = mutated(target.corpus, random);
    if (made % 2 === 1) target.seal?.(input);
    yield input;
  }
}

/** What was wrong with how the target took an input; undefined for nothing. */
async function tryInput(target: FuzzTarget, input: Uint8Array, tally: Tally): Promise<string | undefined> {
  const bytesMax = BYTES_PER_BYTE * input.length + SPARE_BYTES;
  const read = prepared(target, input);
  const before = bytesInUse();
  const accepted = await outcome(target, read);
  let bytes = bytesInUse() - before;
  if (typeof accepted === 'string') return accepted;
  if (accepted) tally.accepted++;
  else tally.refused++;
  // Below zero where garbage was collected meanwhile: then it is asked again, exactly.
  if (bytes < 0 || bytes > bytesMax) bytes = await leastSetAside(target, input, bytesMax);
  const spare = bytes - BYTES_PER_BYTE * input.length;
  tally.spareBytes = Math.max(tally.spareBytes, spare);
  return bytes > bytesMax ? `${spare} bytes were set aside beyond twice the input of ${input.length}` : undefined;
}

/** What is wrong with how a reader takes large inputs. */
async function faultsOfGrowth(growth: Growth): Promise<Fault[]> {
  const { name, bytesPerByte = BYTES_PER_BYTE } = growth;
  const faults: Fault[] = [];
  let most = 0;
  for (const size of GROWTH_BYTES) {
    const input = growth.input(size);
    const accepted = await outcome(growth, prepared(growth, input));
    if (accepted !== true) faults.push({ target: name, input, what: `a good input of ${input.length} bytes is refused: ${accepted}` });
    const bytesMax = bytesPerByte * input.length + SPARE_BYTES;
    const bytes = await leastSetAside(growth, input, bytesMax);
    most = Math.max(most, (bytes - SPARE_BYTES) / input.length);
    if (bytes > bytesMax)
      faults.push({ target: name, input, what: `${bytes} bytes were set aside for ${input.length}; ${bytesPerByte} for each are allowed` });
  }
  console.log(`${name.padEnd(NAME_WIDTH)} ${Math.max(0, most).toFixed(1).padStart(16)} ${String(bytesPerByte).padStart(10)}`);
  return faults;
}

/** The engine sets something aside for itself when it compiles or optimizes; what an input costs, it costs every time. */
async function leastSetAside(target: Reader, input: Uint8Array, bytesMax: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && least > bytesMax; round++) {
    const read = prepared(target, input);
    least = Math.min(least, await setAside(() => outcome(target, read)));
  }
  return least;
}

/** What one reading sets aside, in bytes, what is collected meanwhile included. */
async function setAside(read: () => Promise<unknown>): Promise<number> {
  const profiler = new GCProfiler();
  profiler.start();
  const before = bytesInUse();
  await read();
  const kept = bytesInUse() - before;
  return profiler.stop().statistics.reduce((sum, { beforeGC, afterGC }) => sum + inUse(beforeGC) - inUse(afterGC), kept);
}

function inUse({ heapStatistics: { usedHeapSize, externalMemory } }: GCProfilerResult['statistics'][number]['beforeGC']): number {
  return usedHeapSize + externalMemory;
}

function prepared(target: Reader, input: Uint8Array): () => unknown {
  return 'prepare' in target ? target.prepare(input) : () => target.read(input);
}

/** Whether an input was accepted; where something else was thrown than what may be, that. */
async function outcome({ typed = isProtocolError }: Reader, read: () => unknown): Promise<boolean | string> {
  try {
    const result = read();
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
  console.log(`${'reader'.padEnd(NAME_WIDTH)} ${'accepted'.padStart(9)} ${'refused'.padStart(9)} ${'beyond 2n'.padStart(10)}`);
  for (const { name, accepted, refused, spareBytes } of tallies)
    console.log(
      `${name.padEnd(NAME_WIDTH)} ${String(accepted).padStart(9)} ${String(refused).padStart(9)} ${String(spareBytes).padStart(10)}`,
    );
}

await command(main);
