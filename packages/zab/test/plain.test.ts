import { makeZxid } from '@quorate/protocol';
import { clonePlain, Fingerprint, Log, type Peer } from '@quorate/zab';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TestEnsemble } from './ensemble.js';

const print = (value: unknown): string => {
  const { low, high } = new Fingerprint().add(value);
  return `${high}:${low}`;
};
const printOf = (peer: Peer): string => {
  const fingerprint = new Fingerprint();
  peer.fingerprint(fingerprint);
  return `${fingerprint.high}:${fingerprint.low}`;
};

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer(),
    fc.maxSafeInteger(),
    fc.string(),
    fc.boolean(),
    fc.constant(undefined),
    fc.uint8Array({ maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(fc.integer(), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries.sort(([a], [b]) => a - b))),
    fc.record({ a: tie('value'), b: tie('value') }),
  ),
})).value;

test('a copy is equal, has the same fingerprint, and another value has another one', () => {
  fc.assert(
    fc.property(plain, plain, (a, b) => {
      expect(clonePlain(a)).toEqual(a);
      expect(print(clonePlain(a))).toBe(print(a));
      if (!Object.is(fc.stringify(a), fc.stringify(b))) expect(print(a) === print(b)).toBe(false);
    }),
  );
});

test('a copy shares nothing that can change', () => {
  const log = new Log(makeZxid(1, 0));
  const value = { list: [1], map: new Map([[1, { deep: 1 }]]), log };
  const copy = clonePlain(value);
  copy.list.push(2);
  (copy.map.get(1) as { deep: number }).deep = 2;
  copy.log.append({ zxid: makeZxid(1, 1), payloads: [new Uint8Array(1)] });
  expect(value).toEqual({ list: [1], map: new Map([[1, { deep: 1 }]]), log: new Log(makeZxid(1, 0)) });
  expect(print(copy)).not.toBe(print(value));
});

test('the order of the entries of a Map counts for nothing', () => {
  const entries: [number, string][] = [
    [1, 'a'],
    [2, 'b'],
  ];
  expect(print(new Map(entries))).toBe(print(new Map(entries.reverse())));
});

test('a copied server does what the first one does, and neither touches the other', () => {
  const ensemble = new TestEnsemble([1, 2, 3]);
  const seen = new Map<string, string>();
  const check = (): void => {
    for (const sid of [1, 2, 3]) {
      const peer = ensemble.peer(sid);
      const before = printOf(peer);
      const copy = peer.clone();
      expect(printOf(copy)).toBe(before);
      copy.step({ type: 'timer', name: peer.role.name === 'LOOKING' ? 'election' : 'tick' });
      const effects = JSON.stringify(copy.effects);
      expect(printOf(peer)).toBe(before);
      const other = peer.clone();
      other.step({ type: 'timer', name: peer.role.name === 'LOOKING' ? 'election' : 'tick' });
      expect(JSON.stringify(other.effects)).toBe(effects);
      expect(printOf(other)).toBe(printOf(copy));
      seen.set(before, peer.role.name);
    }
  };
  for (const sid of [1, 2, 3]) ensemble.start(sid);
  while (ensemble.run(oneMore()) > 0) check();
  ensemble.propose(3, 'a');
  while (ensemble.run(oneMore()) > 0) check();
  expect(new Set(seen.values())).toEqual(new Set(['LOOKING', 'FOLLOWING', 'LEADING']));
  expect(seen.size).toBeGreaterThan(30);
});

/** Lets `run` deliver one message. */
function oneMore(): () => boolean {
  let count = 0;
  return () => count++ > 0;
}
