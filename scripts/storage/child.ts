/** A child of `storage.ts`: it is sent one part and one seed at a time, and sends back what came of it. The store in it may have a bug put in. */
import { failEachCall } from './failing-calls.ts';
import { damageCopies } from './matrix.ts';
import type { StorageOrder } from './parts.ts';
import { kill, losePower } from './power-losses.ts';
import { rot } from './rot.ts';
import type { Tally } from './tally.ts';

/** So many stores are killed beside each of which every call is looked at. */
const KILLED = 30;

process.on('message', ({ part, seed }: StorageOrder) => {
  const tally: Tally = { counts: {}, failures: [] };
  if (part === 'power') {
    losePower({ seed, turns: 8, segmentBytes: 1024 }, tally);
    for (let i = 0; i < KILLED; i++) kill({ seed: seed * KILLED + i, turns: 8, segmentBytes: 1024 }, tally);
  }
  if (part === 'rot') rot({ seed, turns: 10, segmentBytes: 4096 }, tally);
  if (part === 'matrix') damageCopies(seed, tally);
  if (part === 'faults') failEachCall({ seed, turns: 10, segmentBytes: 1024 }, tally);
  process.send?.(tally);
});
