import { isProtocolError, JuteWriter, makeZxid, type Zxid } from '@quorate/protocol';
import type { Message, Notification } from '@quorate/zab';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeMessage,
  decodeNotification,
  ENSEMBLE_ID_BYTES_MAX,
  encodeMessage,
  encodeNotification,
} from '../../src/wire/message-codec.js';
import * as any from './arbitraries.js';
import { hex, toHex } from './hex.js';

const ZXID = makeZxid(0x12, 0x34);
/** The epoch 0x12, the counter 0x34. */
const ZXID_HEX = '00000012 00000034';
const PAYLOAD = Uint8Array.of(1, 2, 3);
/** A length of 3, three bytes. */
const PAYLOAD_HEX = '00000003 010203';
/** `shop` behind its length. */
const SHOP_HEX = '00000004 73686f70';

/** One of each kind, and its bytes written by hand. */
const golden: readonly (readonly [Message, string])[] = [
  [{ type: 'REQUEST', payload: PAYLOAD }, `00000001 ${PAYLOAD_HEX}`],
  [{ type: 'PROPOSAL', run: { zxid: ZXID, payloads: [PAYLOAD, hex('')] } }, `00000002 ${ZXID_HEX} 00000002 ${PAYLOAD_HEX} 00000000`],
  [{ type: 'ACK', zxid: ZXID }, `00000003 ${ZXID_HEX}`],
  [{ type: 'COMMIT', zxid: ZXID }, `00000004 ${ZXID_HEX}`],
  [{ type: 'PING', round: 0x5_0000_0006, payload: PAYLOAD }, `00000005 00000005 00000006 ${PAYLOAD_HEX}`],
  [{ type: 'REVALIDATE', payload: PAYLOAD }, `00000006 ${PAYLOAD_HEX}`],
  [{ type: 'SYNC', tag: 7 }, '00000007 00000000 00000007'],
  [{ type: 'INFORM', run: { zxid: ZXID, payloads: [PAYLOAD] } }, `00000008 ${ZXID_HEX} 00000001 ${PAYLOAD_HEX}`],
  [{ type: 'NEWLEADER', epoch: 9 }, '0000000a 00000009'],
  [{ type: 'FOLLOWERINFO', acceptedEpoch: 8, ensembleId: 'shop' }, `0000000b 00000008 ${SHOP_HEX}`],
  [{ type: 'UPTODATE' }, '0000000c'],
  [{ type: 'DIFF' }, '0000000d'],
  [{ type: 'TRUNC', zxid: ZXID }, `0000000e ${ZXID_HEX}`],
  [{ type: 'SNAP', zxid: ZXID }, `0000000f ${ZXID_HEX}`],
  [{ type: 'OBSERVERINFO', acceptedEpoch: 8, ensembleId: '' }, '00000010 00000008 00000000'],
  [{ type: 'LEADERINFO', epoch: 9, ensembleId: 'shop' }, `00000011 00000009 ${SHOP_HEX}`],
  [{ type: 'ACKEPOCH', currentEpoch: -1, lastZxid: ZXID }, `00000012 ffffffff ${ZXID_HEX}`],
  [{ type: 'PIECE', bytes: PAYLOAD, last: true }, `00000064 ${PAYLOAD_HEX} 01`],
  [{ type: 'HANDOVER', leader: 3 }, '00000065 00000003'],
];

/** What a decoder says to bytes: a value, or the code of its ProtocolError; anything else that is thrown goes through. */
function outcome<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T | string {
  try {
    return decode(bytes);
  } catch (error) {
    if (isProtocolError(error)) return error.code;
    throw error;
  }
}

describe('the bytes do not change unnoticed', () => {
  for (const [message, digits] of golden) {
    test(message.type, () => {
      expect(toHex(encodeMessage(message))).toBe(digits.replaceAll(' ', ''));
      expect(decodeMessage(hex(digits))).toEqual(message);
    });
  }

  test('a notification', () => {
    const notification: Notification = { state: 'LEADING', electionEpoch: 5, vote: { leader: 2, zxid: ZXID, peerEpoch: 0x12 } };
    const digits = `00000002 00000000 00000005 00000002 ${ZXID_HEX} 00000012`;
    expect(toHex(encodeNotification(notification))).toBe(digits.replaceAll(' ', ''));
    expect(decodeNotification(hex(digits))).toEqual(notification);
  });

  test('the states have the numbers of ZooKeeper', () => {
    const states = [0, 1, 2, 3].map((n) => decodeNotification(hex(`0000000${n} 00000000 00000005 00000002 ${ZXID_HEX} 00000012`)).state);
    expect(states).toEqual(['LOOKING', 'FOLLOWING', 'LEADING', 'OBSERVING']);
  });

  test('votes of those who have none', () => {
    for (const [zxid, digits] of [
      [-1 as Zxid, 'ffffffff ffffffff'],
      [-(2 ** 63) as Zxid, '80000000 00000000'],
    ] as const) {
      const notification: Notification = { state: 'LOOKING', electionEpoch: 0, vote: { leader: 1, zxid, peerEpoch: -1 } };
      expect(toHex(encodeNotification(notification))).toBe(`00000000 00000000 00000000 00000001 ${digits} ffffffff`.replaceAll(' ', ''));
      expect(decodeNotification(encodeNotification(notification))).toEqual(notification);
    }
  });
});

test('every message comes back', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(any.message, (message) => {
      seen.add(message.type);
      expect(decodeMessage(encodeMessage(message))).toEqual(message);
    }),
    { ...any.run, numRuns: 3000 },
  );
  expect(seen.size).toBe(golden.length);
});

test('every notification comes back', () => {
  fc.assert(
    fc.property(any.notification, (notification) => {
      expect(decodeNotification(encodeNotification(notification))).toEqual(notification);
    }),
    any.run,
  );
});

test('random, cut, lengthened and flipped bytes: a message or a ProtocolError', () => {
  const codes = new Set<string>();
  const encoded = fc.oneof(
    any.message.map((message) => encodeMessage(message)),
    any.notification.map((one) => encodeNotification(one)),
  );
  const mutated = fc.tuple(encoded, fc.nat(), fc.array(fc.nat(), { maxLength: 4 })).map(([whole, cut, bits]) => {
    let bytes = cut % 3 === 0 ? whole.slice(0, cut % (whole.length + 1)) : cut % 3 === 1 ? any.concat([whole, hex('00')]) : whole;
    for (const bit of bits) if (bytes.length > 0) bytes = any.flipBit(bytes, bit % (bytes.length * 8));
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated), (bytes) => {
      for (const decode of [decodeMessage, decodeNotification]) {
        const result = outcome<unknown>(decode, bytes);
        codes.add(typeof result === 'string' ? result : 'a value');
      }
    }),
    { ...any.run, numRuns: 10_000 },
  );
  // The fuzz reaches every kind of fault.
  const all = ['BAD_UTF8', 'BAD_VALUE', 'EPOCH_TOO_LARGE', 'NEGATIVE_LENGTH', 'TRAILING_BYTES', 'TRUNCATED', 'UNKNOWN_OPCODE', 'a value'];
  expect([...codes].sort()).toEqual(all);
});

test('every proper prefix of a message is an error, and so is every longer one', () => {
  for (const [message] of golden) {
    const bytes = encodeMessage(message);
    for (let end = 0; end < bytes.length; end++) expect(outcome(decodeMessage, bytes.slice(0, end))).toBe('TRUNCATED');
    expect(outcome(decodeMessage, any.concat([bytes, hex('00')]))).toBe('TRAILING_BYTES');
  }
});

test('a count or a length of 2^31 - 1 in a short message fails at once and sets nothing aside', () => {
  const bombs = [
    hex(`00000002 ${ZXID_HEX} 7fffffff`, '00000000'.repeat(10)),
    hex(`00000002 ${ZXID_HEX} 00000001 7fffffff`),
    hex('00000064 7fffffff 01'),
    hex('0000000b 00000001 7fffffff'),
  ];
  const before = process.memoryUsage();
  const start = performance.now();
  for (let round = 0; round < 1000; round++) for (const bomb of bombs) expect(outcome(decodeMessage, bomb)).toBe('TRUNCATED');
  expect(performance.now() - start).toBeLessThan(2000);
  expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(50_000_000);
});

describe('what has no meaning is refused', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['an empty run', `00000002 ${ZXID_HEX} 00000000`, 'BAD_VALUE'],
    ['a run that is null', `00000002 ${ZXID_HEX} ffffffff`, 'BAD_VALUE'],
    ['a run with a payload that is null', `00000002 ${ZXID_HEX} 00000001 ffffffff`, 'BAD_VALUE'],
    ['a run at the counter 0', '00000002 00000001 00000000 00000001 00000000', 'BAD_VALUE'],
    ['a run beyond its epoch', '00000002 00000001 ffffffff 00000002 00000000 00000000', 'BAD_VALUE'],
    ['a run at -1', '00000002 ffffffff ffffffff 00000001 00000000', 'BAD_VALUE'],
    ['a commit of -1', '00000004 ffffffff ffffffff', 'BAD_VALUE'],
    ['a zxid of an epoch above 2^21 - 1', '00000004 00200000 00000000', 'EPOCH_TOO_LARGE'],
    ['an epoch above 2^21 - 1', '0000000a 00200000', 'EPOCH_TOO_LARGE'],
    ['a negative epoch', '0000000a ffffffff', 'BAD_VALUE'],
    ['a negative current epoch that is not -1', `00000012 fffffffe ${ZXID_HEX}`, 'BAD_VALUE'],
    ['a round beyond 2^53', '00000005 00200000 00000000 00000000', 'BAD_VALUE'],
    ['the server 0', '00000065 00000000', 'BAD_VALUE'],
    ['the server 255', '00000065 000000ff', 'BAD_VALUE'],
    ['a name that is null', '0000000b 00000001 ffffffff', 'BAD_VALUE'],
    ['a name that is no UTF-8', '0000000b 00000001 00000001 ff', 'BAD_UTF8'],
    ['a type that is not known', '00000063', 'UNKNOWN_OPCODE'],
    ['a negative type', 'ffffffff', 'UNKNOWN_OPCODE'],
  ];
  for (const [what, digits, code] of cases) test(what, () => expect(outcome(decodeMessage, hex(digits))).toBe(code));

  test('a state that is none, a voter that is none, an epoch that is none', () => {
    expect(outcome(decodeNotification, hex(`00000004 00000000 00000005 00000002 ${ZXID_HEX} 00000012`))).toBe('BAD_VALUE');
    expect(outcome(decodeNotification, hex(`00000001 00000000 00000005 00000000 ${ZXID_HEX} 00000012`))).toBe('BAD_VALUE');
    expect(outcome(decodeNotification, hex(`00000001 00000000 00000005 00000002 ${ZXID_HEX} fffffffe`))).toBe('BAD_VALUE');
  });
});

test('the name of an ensemble has a longest length, in bytes', () => {
  const longest = 'é'.repeat(ENSEMBLE_ID_BYTES_MAX / 2);
  const message: Message = { type: 'LEADERINFO', epoch: 1, ensembleId: longest };
  expect(decodeMessage(encodeMessage(message))).toEqual(message);
  expect(() => encodeMessage({ ...message, ensembleId: `${longest}x` })).toThrow(RangeError);
  const tooLong = hex('00000011 00000001 00000401', '61'.repeat(ENSEMBLE_ID_BYTES_MAX + 1));
  expect(outcome(decodeMessage, tooLong)).toBe('BAD_VALUE');
});

test('a writer whose last message failed begins anew', () => {
  const writer = new JuteWriter();
  expect(() => encodeMessage({ type: 'LEADERINFO', epoch: 1, ensembleId: 'x'.repeat(ENSEMBLE_ID_BYTES_MAX + 1) }, writer)).toThrow();
  expect(toHex(encodeMessage({ type: 'DIFF' }, writer))).toBe('0000000d');
  expect(() => encodeMessage({ type: 'SYNC', tag: 0.5 }, writer)).toThrow();
  const notification: Notification = { state: 'LOOKING', electionEpoch: 1, vote: { leader: 1, zxid: ZXID, peerEpoch: 1 } };
  expect(decodeNotification(encodeNotification(notification, writer))).toEqual(notification);
});

test('what cannot come back is not sent', () => {
  expect(() => encodeMessage({ type: 'SYNC', tag: 0.5 })).toThrow('whole number');
  expect(() => encodeMessage({ type: 'PROPOSAL', run: { zxid: ZXID, payloads: [] } })).toThrow('never empty');
});
