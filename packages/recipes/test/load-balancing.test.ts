import { SeededRandom } from '@quorate/ports';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyOfThem, type Balancer, byKey, leastLoaded, roundRobin } from '../src/index.js';

const ids = fc.uniqueArray(fc.string({ maxLength: 4 }), { minLength: 1, maxLength: 8 }).map((names) => names.sort());

function choose(
  balancer: Balancer,
  names: readonly string[],
  options: { random?: SeededRandom; key?: string; busy?: string } = {},
): string {
  const { random = new SeededRandom(1), key, busy } = options;
  return balancer({ candidates: names.map((id) => ({ id, underWay: id === busy ? 1 : 0 })), key, random }).id;
}

test.each([
  ['roundRobin', roundRobin],
  ['anyOfThem', anyOfThem],
  ['leastLoaded', leastLoaded],
  ['byKey', byKey],
])('%s chooses one of the candidates', (_, make) => {
  fc.assert(
    fc.property(fc.array(ids, { minLength: 1 }), fc.option(fc.string(), { nil: undefined }), (rounds, key) => {
      const [balancer, random] = [make(), new SeededRandom(1)];
      for (const names of rounds) expect(names).toContain(choose(balancer, names, { random, ...(key !== undefined && { key }) }));
    }),
  );
});

describe('roundRobin', () => {
  test('gives each its turn', () => {
    fc.assert(
      fc.property(ids, (names) => {
        const balancer = roundRobin();
        const round = (): string[] => names.map(() => choose(balancer, names));
        expect(round()).toEqual(names);
        expect(round()).toEqual(names);
      }),
    );
  });

  test('skips nobody when instances come and go', () => {
    const balancer = roundRobin();
    expect(choose(balancer, ['a', 'b', 'c'])).toBe('a');
    expect(choose(balancer, ['b', 'c'])).toBe('b');
    expect(choose(balancer, ['a', 'c', 'd'])).toBe('c');
    expect(choose(balancer, ['a', 'c', 'd'])).toBe('d');
    expect(choose(balancer, ['a', 'c', 'd'])).toBe('a');
  });
});

test('anyOfThem is even', () => {
  const [balancer, random, counts] = [anyOfThem(), new SeededRandom(7), new Map<string, number>()];
  for (let draw = 0; draw < 3000; draw++) {
    const id = choose(balancer, ['a', 'b', 'c'], { random });
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
});

test('leastLoaded spares the busy', () => {
  const [balancer, random] = [leastLoaded(), new SeededRandom(7)];
  const chosen = new Set(Array.from({ length: 50 }, () => choose(balancer, ['a', 'b', 'c'], { busy: 'b', random })));
  expect([...chosen].sort()).toEqual(['a', 'c']);
});

test('byKey gives every client the same instance', () => {
  fc.assert(
    fc.property(ids, fc.string(), (names, key) => {
      expect(choose(byKey(), names, { key, random: new SeededRandom(1) })).toBe(
        choose(byKey(), names, { key, random: new SeededRandom(2) }),
      );
    }),
  );
});
