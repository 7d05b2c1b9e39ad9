/** A child of `sim.ts`: it is sent seeds, runs them, and sends back what came of each as plain data. */
import { simulate } from '@quorate/testkit';
import type { SeedOrder, SeedOutcome } from './sim-seeds.ts';

process.on('message', (order: SeedOrder) => {
  const { level, servers, twice } = order;
  for (const seed of order.seeds) {
    const result = simulate({ seed, level, servers, eventsKept: 1 });
    const ranTwice = twice.includes(seed);
    const again = ranTwice ? simulate({ seed, level, servers, eventsKept: 1 }).traceHash : result.traceHash;
    // The channel carries JSON: what is not data stays here.
    const outcome: SeedOutcome = { ...result, ranTwice, repeated: again === result.traceHash };
    process.send?.(outcome);
  }
  process.send?.('done');
});
