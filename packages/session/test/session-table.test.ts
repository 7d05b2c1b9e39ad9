import { isProtocolError } from '@quorate/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SessionTable } from '../src/index.js';

const id = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).filter((value) => value !== 0n);
const sessions = fc.array(fc.tuple(id, fc.nat(0x7fff_ffff)));

test('a table is what was added and not removed, also after it was written and read', () => {
  fc.assert(
    fc.property(sessions, fc.nat(), (added, removed) => {
      const table = new SessionTable();
      const model = new Map<bigint, number>();
      for (const [session, timeoutMs] of added) {
        table.add(session, timeoutMs);
        model.set(session, timeoutMs);
      }
      const gone = added[removed % added.length]?.[0] ?? 5n;
      expect(table.remove(gone)).toBe(model.delete(gone));
      for (const one of [table, SessionTable.deserialize(table.serialize())]) {
        expect([...one.entries()]).toEqual([...model]);
        expect(one.size).toBe(model.size);
        for (const [session, timeoutMs] of model) expect(one.timeoutMs(session)).toBe(timeoutMs);
        expect(one.has(gone)).toBe(false);
      }
    }),
  );
});

test('any bytes give a table or a ProtocolError', () => {
  const table = new SessionTable();
  table.add(1n, 4000);
  table.add(-2n, 0);
  const bytes = table.serialize();
  for (let length = 0; length < bytes.length; length++) expect(readable(bytes.subarray(0, length))).toBe(false);
  expect(readable(Uint8Array.of(...bytes, 0))).toBe(false);
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
      const damaged = bytes.slice();
      damaged[at] = value;
      readable(damaged);
    }
  }
  const twice = bytes.slice();
  twice.set(bytes.subarray(8, 20), 20);
  expect(readable(twice)).toBe(false);
});

function readable(bytes: Uint8Array): boolean {
  try {
    SessionTable.deserialize(bytes);
    return true;
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return false;
  }
}
