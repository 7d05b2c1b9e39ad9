/** Each bit of a store at rest turns over, each sector of it turns to something else, each file is cut or lost: the store has all, or says that it has not. */
import { inspect } from '@quorate/log';
import { MemoryDisk, VirtualClock } from '@quorate/ports';
import type { StoredImage } from '@quorate/zab';
import { count, type Tally } from './tally.ts';
import { describe, live, type Workload } from './workload.ts';

export const FLIPS = 'bits turned over';

const SECTOR_BYTES = 64;

/** After so many zeros it is taken that nothing was written behind them. */
const ZEROS = 32;

export function rot(workload: Workload, tally: Tally): void {
  const { disk: used, course } = live(workload, () => undefined);
  const files = used.files();
  const right = course.states[course.states.length - 1] as string;
  let whole: StoredImage | undefined;
  const check = (disk: MemoryDisk, clock: VirtualClock, what: string): void => {
    let found: StoredImage | Error | undefined;
    inspect(disk, (result) => {
      found = result instanceof Error ? result : result.image;
    });
    while (found === undefined && clock.step());
    if (found !== undefined && (found instanceof Error || found.damage !== undefined)) count(tally, 'noticed');
    else if (!isSame(found, whole) && describe(found) !== right)
      tally.failures.push(`seed ${workload.seed}, ${what}\n  found ${describe(found)}\n  right ${right}`);
  };
  const clock = new VirtualClock();
  const disk = MemoryDisk.of(files, { clock });
  check(disk, clock, 'nothing');
  inspect(disk, (result) => {
    whole = result instanceof Error ? undefined : result.image;
  });
  clock.advance(1);
  for (const [name, bytes] of files) {
    for (const at of written(bytes)) {
      for (let bit = at * 8; bit < (at + 1) * 8; bit++) {
        disk.flip(name, bit);
        count(tally, FLIPS);
        check(disk, clock, `${name}, bit ${bit}`);
        disk.flip(name, bit);
      }
    }
    const changed = new Map(files);
    for (const [what, copy] of spoiled(bytes)) {
      if (copy === undefined) changed.delete(name);
      else changed.set(name, copy);
      count(tally, 'sectors and files spoiled');
      check(MemoryDisk.of(changed, { clock }), clock, `${name}, ${what}`);
    }
  }
}

/** Most that is found is byte by byte what is found without a fault: faster to see than to describe. */
function isSame(a: StoredImage | undefined, b: StoredImage | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (a.acceptedEpoch !== b.acceptedEpoch || a.currentEpoch !== b.currentEpoch || a.mark?.ensembleId !== b.mark?.ensembleId) return false;
  if (a.snapshot?.zxid !== b.snapshot?.zxid || !areSame(a.snapshot?.pieces ?? [], b.snapshot?.pieces ?? [])) return false;
  return (
    a.runs.length === b.runs.length && a.runs.every((run, i) => run.zxid === b.runs[i]?.zxid && areSame(run.payloads, b.runs[i].payloads))
  );
}

function areSame(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((bytes, i) => Buffer.compare(bytes, b[i] as Uint8Array) === 0);
}

/** The places where something has been written, and of the zeros behind it a few. */
function* written(bytes: Uint8Array): Iterable<number> {
  let zeros = ZEROS;
  for (const [at, byte] of bytes.entries()) {
    zeros = byte === 0 ? zeros + 1 : 0;
    if (zeros < ZEROS) yield at;
  }
}

function* spoiled(bytes: Uint8Array): Iterable<[string, Uint8Array | undefined]> {
  for (const at of new Set(Array.from(written(bytes), (place) => place - (place % SECTOR_BYTES)))) {
    const end = Math.min(bytes.length, at + SECTOR_BYTES);
    yield [`zeros at ${at}`, bytes.slice().fill(0, at, end)];
    yield [`ones at ${at}`, bytes.slice().fill(0xff, at, end)];
    const next = bytes.slice();
    // What belongs behind it, at its place: a misdirected write.
    next.copyWithin(at, end, Math.min(bytes.length, end + SECTOR_BYTES));
    yield [`the next sector at ${at}`, next];
    if (at > 0) yield [`cut at ${at}`, bytes.slice(0, at)];
  }
  yield ['lost', undefined];
}
