/** Every way in which bytes from outside become values: of clients, of servers, of files, and of what people write. */
import {
  decodeClientMessage,
  decodeConnectRequest,
  decodeConnectResponse,
  decodeRequestBody,
  decodeServerMessage,
  decodeTxn,
  encodeClientMessage,
  encodeServerMessage,
  encodeTxn,
  FrameSplitter,
  frame,
  type Id,
  type JuteReader,
  makeZxid,
  NO_ZXID,
  OpCode,
  opCodeName,
  readClientMessage,
} from '@quorate/protocol';
import fc from 'fast-check';
import * as client from '../../packages/protocol/test/arbitraries.ts';
import { Database } from '../../packages/server/src/database.ts';
import { decodeForwardedRequest, encodeForwardedRequest, isWrite } from '../../packages/server/src/forwarded-request.ts';
import {
  decodeSessionMessage,
  decodeTouches,
  encodeSessionMessage,
  encodeTouches,
  type SessionMessage,
} from '../../packages/server/src/session-messages.ts';
import { FrameReader, FrameWriter } from '../../packages/zab/src/wire/frame.ts';
import { decodeHello, encodeHello } from '../../packages/zab/src/wire/hello.ts';
import { decodeMessage, decodeNotification, encodeMessage, encodeNotification } from '../../packages/zab/src/wire/message-codec.ts';
import * as peer from '../../packages/zab/test/wire/arbitraries.ts';
import { apacheTargets } from './apache-files.ts';
import { linkTargets } from './links.ts';
import { packetTargets } from './peer-packets.ts';
import { databaseOf, stateOf } from './server-state.ts';
import { storeTargets } from './stores.ts';
import type { FuzzTarget } from './target.ts';
import { textTargets } from './texts.ts';

const LENGTH_BYTES = 4;
const CORPUS_SIZE = 200;

/** @param seed chooses the good inputs. */
export function fuzzTargets(seed: number): readonly FuzzTarget[] {
  const sample = <T>(arbitrary: fc.Arbitrary<T>, encode: (value: T) => Uint8Array): Uint8Array[] =>
    fc.sample(arbitrary, { seed, numRuns: CORPUS_SIZE }).map(encode);
  const requests = sample(client.requestMessage, (message) => encodeClientMessage(message).subarray(LENGTH_BYTES));
  const replies = sample(client.reply, (message) => encodeServerMessage(message).subarray(LENGTH_BYTES));
  const events = sample(client.event, (message) => encodeServerMessage(message).subarray(LENGTH_BYTES));
  const txns = sample(client.headedTxn, ({ header, txn }) => encodeTxn(header, txn));
  const notifications = sample(peer.notification, (notification) => encodeNotification(notification));
  const messages = sample(peer.message, (message) => encodeMessage(message));
  const handshakes = sample(client.connectRequest, (message) => encodeClientMessage(message).subarray(LENGTH_BYTES));
  return [
    { name: 'client: ConnectRequest', corpus: handshakes, read: decodeConnectRequest },
    {
      name: 'client: ConnectResponse',
      corpus: sample(client.connectResponse, (message) => encodeServerMessage(message).subarray(LENGTH_BYTES)),
      read: decodeConnectResponse,
    },
    { name: 'client: request', corpus: requests, read: decodeClientMessage },
    ...Object.values(OpCode)
      .filter((type) => type > 0)
      .flatMap((type): FuzzTarget[] => [
        {
          name: `client: body of ${opCodeName(type)}`,
          corpus: requests.map((request) => request.subarray(8)),
          read: (bytes) => decodeRequestBody(type, bytes),
        },
        { name: `client: reply to ${opCodeName(type)}`, corpus: replies, read: (bytes) => decodeServerMessage(bytes, () => type) },
      ]),
    { name: 'client: event', corpus: events, read: (bytes) => decodeServerMessage(bytes, () => undefined) },
    { name: 'client: stream of frames', corpus: requests.map(frame), read: readStream },
    { name: 'peer: notification', corpus: notifications, read: decodeNotification },
    { name: 'peer: message', corpus: messages, read: decodeMessage },
    {
      name: 'peer: hello',
      corpus: [encodeHello({ purpose: 'LEARNER', from: 1, to: 2, ensembleId: 'shop', nonce: { high: 1, low: 2 } })],
      read: decodeHello,
    },
    { name: 'peer: stream of frames', corpus: messages.map((message) => new FrameWriter().frame(message)), read: readPeerStream },
    {
      name: 'peer: forwarded request',
      corpus: sample(client.request.filter(isWrite), (request) => encodeForwardedRequest({ session: 7n, cxid: 1, authIds: [ID], request })),
      read: decodeForwardedRequest,
    },
    { name: 'peer: sessions', corpus: SESSION_MESSAGES.map(encodeSessionMessage), read: decodeSessionMessage },
    { name: 'peer: touches', corpus: [encodeTouches([{ id: 1n, timeOut: 6_000 }])], read: decodeTouches },
    { name: 'log: txn', corpus: txns, read: decodeTxn },
    {
      name: 'snapshot: state of a server',
      corpus: [3, 20].map((znodes) => stateOf(databaseOf(znodes))),
      read: (bytes) => Database.deserialize(bytes, NO_ZXID),
    },
    ...storeTargets(),
    ...apacheTargets(),
    ...packetTargets(seed),
    ...linkTargets(seed),
    ...textTargets(),
  ];
}

const ID: Id = { scheme: 'ip', id: '127.0.0.1' };

const SESSION_MESSAGES: readonly SessionMessage[] = [
  { type: 'renew', session: 7n, timeOut: 6_000 },
  { type: 'hold', sessions: [{ id: 7n, timeOut: 6_000, stamp: 1 }] },
  { type: 'renewed', session: 7n, lives: true, zxid: makeZxid(1, 2), stamp: 3 },
  { type: 'moved', session: 7n, stamp: 3 },
  { type: 'taken', session: 7n },
];

/** Takes all frames out of a stream that comes in two chunks, as a port does. */
function readStream(bytes: Uint8Array): void {
  const splitter = new FrameSplitter();
  for (const chunk of [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)]) {
    splitter.push(chunk);
    for (let reader: JuteReader | undefined = splitter.nextReader(); reader !== undefined; reader = splitter.nextReader())
      readClientMessage(reader);
  }
}

/** As `readStream`, of a peer. It tells of faults by `fault`, and throws nothing. */
function readPeerStream(bytes: Uint8Array): void {
  const frames = new FrameReader();
  for (const chunk of [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)]) {
    frames.push(chunk);
    for (let body = frames.next(); body !== undefined; body = frames.next()) decodeMessage(body);
  }
}
