/** Who has what, as a function of names alone: even, agreed upon, and steady. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { divide, hashText, memberFor } from '../src/index.js';

const names = fc.uniqueArray(fc.string({ maxLength: 12 }), { minLength: 1, maxLength: 12 });
const partitionNames = fc.uniqueArray(fc.string({ maxLength: 12 }), { maxLength: 40 });

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}-${number}`);
}

function owners(shares: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  return new Map([...shares].flatMap(([member, keys]) => keys.map((key): [string, string] => [key, member])));
}

test('every engine has the same hashes', () => {
  expect(['', 'a', 'partition-17', 'Grüße', '\u{1f600}'].map((text) => hashText(text))).toMatchInlineSnapshot(`
    [
      2872998923,
      2448022055,
      3512034875,
      3724243721,
      2916093958,
    ]
  `);
  expect(memberFor('user-17', ['a', 'b', 'c'])).toMatchInlineSnapshot(`"c"`);
});

describe('memberFor', () => {
  test('does not ask for the order of the members, and there is none among none', () => {
    fc.assert(
      fc.property(fc.string(), names, (key, members) => {
        expect(memberFor(key, [...members].reverse())).toBe(memberFor(key, members));
      }),
    );
    expect(memberFor('key', [])).toBeUndefined();
  });

  test('moves the keys of the member that goes and no others', () => {
    fc.assert(
      fc.property(fc.string(), names, fc.nat(), (key, members, at) => {
        const gone = members[at % members.length] as string;
        const before = memberFor(key, members);
        const after = memberFor(
          key,
          members.filter((member) => member !== gone),
        );
        if (before !== gone) expect(after).toBe(before);
      }),
    );
  });

  test('spreads similar keys evenly over similar members', () => {
    const members = numbered('10.0.0', 10);
    const counts = new Map(members.map((member) => [member, 0]));
    for (const key of numbered('user', 10_000)) {
      const member = memberFor(key, members) as string;
      counts.set(member, (counts.get(member) ?? 0) + 1);
    }
    // 1,000 each are expected, with a standard deviation of 30.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

describe('divide', () => {
  test('gives every partition to one member, and the same number to all, or one more', () => {
    fc.assert(
      fc.property(partitionNames, names, (partitions, members) => {
        const shares = divide(partitions, members);
        expect([...shares.keys()].sort()).toEqual([...members].sort());
        expect([...shares.values()].flat().sort()).toEqual([...partitions].sort());
        const share = Math.floor(partitions.length / members.length);
        for (const keys of shares.values()) expect([share, share + 1]).toContain(keys.length);
      }),
    );
  });

  test('does not ask for the order of the names, nor how often they are there', () => {
    fc.assert(
      fc.property(partitionNames, names, (partitions, members) => {
        const twice = divide([...partitions, ...partitions].reverse(), [...members, ...members].reverse());
        expect(owners(twice)).toEqual(owners(divide(partitions, members)));
      }),
    );
    expect(divide(['a'], []).size).toBe(0);
  });

  test('moves few partitions when a member comes or goes', () => {
    // A plain hash of the partition modulo the members moves all but one in members + 1, which is 7 to 19 times the least.
    const partitions = numbered('partition', 256);
    for (const [size, most] of [
      [3, 1.3],
      [8, 1.6],
      [20, 2.2],
    ] as const) {
      let moved = 0;
      for (let trial = 0; trial < 10; trial++) {
        const members = numbered(`member-${trial}`, size + 1);
        const [few, many] = [owners(divide(partitions, members.slice(0, size))), owners(divide(partitions, members))];
        moved += partitions.filter((key) => few.get(key) !== many.get(key)).length;
      }
      expect(moved / 10 / (256 / (size + 1))).toBeLessThan(most);
    }
  });
});
