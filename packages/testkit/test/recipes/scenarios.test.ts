/** Every recipe on the stage, for a few seeds: the long runs are `npm run test:recipes`. */
import { describe, expect, it } from 'vitest';
import {
  ackQueueScenario,
  barrierScenario,
  counterScenario,
  doubleBarrierScenario,
  lockScenario,
  queueScenario,
  rehearse,
} from '../../src/index.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const scenarios = [lockScenario, barrierScenario, doubleBarrierScenario, counterScenario, queueScenario, ackQueueScenario];

describe.each(scenarios)('$name', (scenario) => {
  it('holds what it promises under bad weather', async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const { violation } = await rehearse(scenario, { seed, turn, runMs: 2500 });
      expect({ seed, violation }).toEqual({ seed, violation: undefined });
    }
  });
});

it('a rehearsal does the same again for the same seed, and something else for another', async () => {
  const hashes: string[] = [];
  for (const seed of [1, 1, 2]) hashes.push((await rehearse(lockScenario, { seed, turn })).traceHash);
  expect(hashes[1]).toBe(hashes[0]);
  expect(hashes[2]).not.toBe(hashes[0]);
});
