import { SeededRandom, VirtualClock } from '@quorate/ports';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConnectionGate } from '../src/connection-throttle.ts';

const ARRIVALS = ['new', 'renewed', 'local'] as const;
/** As ZooKeeper's. */
const TOKENS = { new: 3, renewed: 2, local: 1 };

test('in any time, no more are let in than the bucket holds and gains', () => {
  const arrivals = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 400 }), arrival: fc.constantFrom(...ARRIVALS) }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: 20 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer(),
      arrivals,
      (tokensMax, tokensPerSecond, seed, all) => {
        const clock = new VirtualClock();
        const gate = new ConnectionGate({ tokensMax, tokensPerSecond, random: new SeededRandom(seed) }, clock);
        const taken: { at: number; tokens: number }[] = [];
        for (const { afterMs, arrival } of all) {
          clock.advance(afterMs);
          if (gate.admits(arrival)) taken.push({ at: clock.now(), tokens: TOKENS[arrival] });
        }
        for (const [index, { at }] of taken.entries()) {
          let tokens = 0;
          for (const later of taken.slice(index)) {
            tokens += later.tokens;
            expect(tokens).toBeLessThanOrEqual(tokensMax + ((later.at - at) / 1000) * tokensPerSecond + 1e-6);
          }
        }
      },
    ),
  );
});

test('while more come than are let in, ever more of them are turned away by chance; then it is forgotten', () => {
  const clock = new VirtualClock();
  const gate = new ConnectionGate({ tokensMax: 30, tokensPerSecond: 30, random: new SeededRandom(1) }, clock);
  /** Of those who come for a second, how many are let in. */
  const second = (perSecond: number) => {
    let admitted = 0;
    for (let i = 0; i < perSecond; i++) {
      clock.advance(1000 / perSecond);
      if (gate.admits('new')) admitted++;
    }
    return admitted;
  };
  expect(second(5)).toBe(5);
  for (let i = 0; i < 10; i++) expect(second(1000)).toBeLessThanOrEqual(20);
  // Few come now, and there are tokens for all: those who are missing were turned away by chance.
  const justAfter = [1, 2, 3].reduce((sum) => sum + second(5), 0);
  expect(justAfter).toBeLessThan(12);
  for (let i = 0; i < 300; i++) second(5);
  expect(second(5)).toBe(5);
});

test.each(ARRIVALS)('a bucket that is full has room for just so many who come with a session that is %s', (arrival) => {
  const gate = new ConnectionGate({ tokensMax: 12, tokensPerSecond: 1, random: new SeededRandom(1) }, new VirtualClock());
  const admitted = Array.from({ length: 20 }, () => gate.admits(arrival)).filter((isIn) => isIn);
  expect(admitted).toHaveLength(12 / TOKENS[arrival]);
});

test('whoever comes as fast as the bucket gains is let in', () => {
  const clock = new VirtualClock();
  const gate = new ConnectionGate({ tokensMax: 6, tokensPerSecond: 10, random: new SeededRandom(1) }, clock);
  for (let i = 0; i < 100; i++) {
    expect(gate.admits('new')).toBe(true);
    clock.advance(301);
  }
});
