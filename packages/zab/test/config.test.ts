import { type Config, hasQuorum, quorumValue } from '@quorate/zab';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const quorum = (config: Config, members: ReadonlySet<number>) => hasQuorum(config, (sid) => members.has(sid));

const voters = fc.integer({ min: 1, max: 9 }).map((count) => Array.from({ length: count }, (_, i) => i + 1));

test('any two quorums share a voter, whatever the groups and weights', () => {
  const member = fc.record({ group: fc.nat(3), weight: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(member, { minLength: 1, maxLength: 9 }), fc.nat(511), fc.nat(511), (members, a, b) => {
      const groups = [0, 1, 2, 3].map((group) => ({
        weights: new Map(members.flatMap((each, i) => (each.group === group ? [[i + 1, each.weight] as const] : []))),
      }));
      const config = { version: 0, voters: members.map((_, i) => i + 1), groups };
      const pick = (mask: number) => new Set(config.voters.filter((sid) => (mask >> (sid - 1)) & 1));
      if (!quorum(config, pick(a)) || !quorum(config, pick(b))) return;
      expect([...pick(a)].some((sid) => pick(b).has(sid))).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test('any two quorums share a voter, whatever the number of voters', () => {
  fc.assert(
    fc.property(voters, fc.nat(511), fc.nat(511), (all, a, b) => {
      const config = { version: 0, voters: all };
      const pick = (mask: number) => new Set(all.filter((sid) => (mask >> (sid - 1)) & 1));
      if (!quorum(config, pick(a)) || !quorum(config, pick(b))) return;
      expect([...pick(a)].some((sid) => pick(b).has(sid))).toBe(true);
    }),
  );
});

test('a server that does not vote does not count', () => {
  const config = { version: 0, voters: [1, 2, 3] };
  expect(quorum(config, new Set([1, 8, 9]))).toBe(false);
  expect(quorum(config, new Set([1, 2, 9]))).toBe(true);
});

test('quorumValue is the highest value that a quorum has reached', () => {
  const values = fc.array(fc.integer({ min: -1, max: 5 }), { minLength: 9, maxLength: 9 });
  const weights = fc.option(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 9, maxLength: 9 }), { nil: undefined });
  fc.assert(
    fc.property(voters, values, weights, (all, values, weights) => {
      const groups = weights === undefined ? {} : { groups: [{ weights: new Map(all.map((sid) => [sid, weights[sid] ?? 1])) }] };
      const config = { version: 0, voters: all, ...groups };
      const valueOf = (sid: number) => (values[sid] === -1 ? Number.NEGATIVE_INFINITY : (values[sid] ?? 0));
      const reached = (bar: number) => quorum(config, new Set(all.filter((sid) => valueOf(sid) >= bar)));
      const best = quorumValue(config, Float64Array.from(all, valueOf));
      const candidates = [0, 1, 2, 3, 4, 5].filter(reached);
      expect(best).toBe(candidates.length === 0 ? Number.NEGATIVE_INFINITY : Math.max(...candidates));
    }),
  );
});
