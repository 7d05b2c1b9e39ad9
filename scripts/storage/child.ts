/** A child of `storage.ts`: it is sent one part and one seed at a time, and sends back what came of it. The store in it may have a bug put in. */
import { failEachCall } from './failing-calls.ts';
import { damageCopies } from './matrix.ts';
import type { StorageOrder } from './parts.ts';
import { losePower } from './power-losses.ts';
import { rot } from './rot.ts';
import type { Tally } from './tally.ts';

process.on('message', ({ part, seed }: StorageOrder) => {
  const tally: Tally = { counts: {}, failures: [] };
  if (part === 'power') losePower({ seed, turns: 8, segmentBytes: 1024 }, tally);
  else if (part === 'rot') rot({ seed, turns: 10, segmentBytes: 4096 }, tally);
  else if (part === 'matrix') damageCopies(seed, tally);
  else failEachCall({ seed, turns: 10, segmentBytes: 1024 }, tally);
  process.send?.(tally);
});
