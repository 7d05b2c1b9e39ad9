/** The differential test with a model in Apache's place: a server of ours answers as ZooKeeper's rules say, field by field, without any row of docs/compatibility.md. */
import { VirtualClock } from 'quorate';
import { expect, test } from 'vitest';
import { columns } from '../scripts/differential/columns.ts';
import { differential } from '../scripts/differential/differential.ts';
import { startModel } from '../scripts/differential/model.ts';
import { startVirtual } from '../scripts/differential/ours.ts';

// `npm run test:differential -- --model --runs N` goes on from here.
test.each([
  { servers: 1, seed: 1, runs: 25 },
  { servers: 3, seed: 2, runs: 15 },
])('$servers server(s) and the model answer the same to histories of several sessions', async ({ servers, ...options }) => {
  const clock = new VirtualClock();
  const ours = await startVirtual(servers, clock);
  try {
    const theirs = startModel(servers, clock);
    const result = await differential({
      theirs: theirs.ways,
      ours: ours.ways,
      known: [],
      stepsMax: 60,
      shrinksMax: 200,
      ...options,
    });
    expect(result.found === undefined ? [] : columns(result.found.again.laps, 'model')).toEqual([]);
    expect(result.tally.histories).toBe(options.runs);
    for (const name of ['create', 'addWatch', 'setWatches2', 'expire', 'several under way', 'connect (own)'])
      expect(result.tally.outcomes.get(name)?.get('OK'), name).toBeGreaterThan(0);
  } finally {
    await ours.close();
  }
});
