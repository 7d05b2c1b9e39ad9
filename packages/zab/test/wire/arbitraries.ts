/** Messages of every kind, for properties. */
import { makeZxid, type Zxid } from '@quorate/protocol';
import type { Message, Notification, Run } from '@quorate/zab';
import fc from 'fast-check';

/** How properties are run: the same each time. Another seed can be asked for by QUORATE_SEED; a failure prints the one that it had. */
export const run = { seed: Number(process.env.QUORATE_SEED ?? 1), numRuns: 400 };

const epoch = fc.integer({ min: 0, max: 2 ** 21 - 1 });
const counter = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const zxid = fc.tuple(epoch, counter).map(([e, c]) => makeZxid(e, c));
const sid = fc.integer({ min: 1, max: 254 });
const whole = fc.oneof(fc.nat(), fc.maxSafeInteger());
const bytes = fc.uint8Array({ maxLength: 60 });
/** Whole characters only: a surrogate alone has no bytes in UTF-8. */
const ensembleId = fc.oneof(fc.constant(''), fc.string({ maxLength: 30 }), fc.string({ unit: 'binary', maxLength: 30 }));

export const transactions: fc.Arbitrary<Run> = fc
  .record({ zxid, payloads: fc.array(bytes, { minLength: 1, maxLength: 6 }) })
  .filter(({ zxid: first, payloads }) => first % 2 ** 32 > 0 && (first % 2 ** 32) + payloads.length - 1 < 2 ** 32);

export const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: fc.constantFrom('FOLLOWERINFO' as const, 'OBSERVERINFO' as const), acceptedEpoch: epoch, ensembleId }),
  fc.record({ type: fc.constant('LEADERINFO' as const), epoch, ensembleId }),
  fc.record({ type: fc.constant('ACKEPOCH' as const), currentEpoch: fc.oneof(fc.constant(-1), epoch), lastZxid: zxid }),
  fc.record({ type: fc.constantFrom('DIFF' as const, 'UPTODATE' as const) }),
  fc.record({ type: fc.constantFrom('TRUNC' as const, 'SNAP' as const, 'ACK' as const, 'COMMIT' as const), zxid }),
  fc.record({ type: fc.constant('PIECE' as const), bytes, last: fc.boolean() }),
  fc.record({ type: fc.constantFrom('PROPOSAL' as const, 'INFORM' as const), run: transactions }),
  fc.record({ type: fc.constant('NEWLEADER' as const), epoch }),
  fc.record({ type: fc.constant('PING' as const), round: whole, payload: bytes }),
  fc.record({ type: fc.constantFrom('REQUEST' as const, 'REVALIDATE' as const), payload: bytes }),
  fc.record({ type: fc.constant('SYNC' as const), tag: whole }),
  fc.record({ type: fc.constant('HANDOVER' as const), leader: sid }),
);

export const notification: fc.Arbitrary<Notification> = fc.record({
  state: fc.constantFrom('LOOKING' as const, 'FOLLOWING' as const, 'LEADING' as const, 'OBSERVING' as const),
  electionEpoch: whole,
  vote: fc.record({
    leader: sid,
    zxid: fc.oneof({ weight: 4, arbitrary: zxid }, { weight: 1, arbitrary: fc.constantFrom(-1 as Zxid, -(2 ** 63) as Zxid) }),
    peerEpoch: fc.oneof(fc.constant(-1), epoch),
  }),
});

/** A stream cut at arbitrary places. */
export function cutAt(stream: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (stream.length + 1))), stream.length].sort((a, b) => a - b);
  return ends.map((end, i) => stream.slice(ends[i - 1] ?? 0, end));
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}

export function flipBit(original: Uint8Array, bit: number): Uint8Array {
  const flipped = original.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
  return flipped;
}
