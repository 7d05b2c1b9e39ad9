/**
 * Large good inputs, of parts as small as there are where that is said. There the objects that are made take most beside the bytes that they are made of: to whoever sends it an
 * empty buffer in a list is four bytes, to whoever reads it a view. Whatever the size, a reader keeps to so many bytes for each byte.
 *
 * All is counted that is set aside while it is read, also what is garbage at once; what is kept is less.
 */
import {
  decodeRequestBody,
  decodeServerMessage,
  decodeTxn,
  encodeTxn,
  makeZxid,
  NO_ZXID,
  OpCode,
  type Txn,
  type TxnHeader,
} from '@quorate/protocol';
import { wordsOf } from '../../packages/cli/src/shell-words.ts';
import { parseConnectString } from '../../packages/client/src/connect-string.ts';
import { decodeManifest, EMPTY_MANIFEST, encodeManifest } from '../../packages/log/src/manifest.ts';
import { apacheSnapshot } from '../../packages/node/src/apache-snapshot-writer.ts';
import { readBackup, writeBackup } from '../../packages/node/src/backup-file.ts';
import { parseProperties } from '../../packages/node/src/java-properties.ts';
import { Database } from '../../packages/server/src/database.ts';
import { decodeSessionMessage, decodeTouches } from '../../packages/server/src/session-messages.ts';
import { decodeMessage, encodeMessage } from '../../packages/zab/src/wire/message-codec.ts';
import { logOf, readSnapshot, readTxns } from './apache-files.ts';
import { commits, hearLeader } from './peer-packets.ts';
import { databaseOf, stateOf } from './server-state.ts';
import { storeGrowths } from './stores.ts';
import type { Growth } from './target.ts';

const NOTHING = new Uint8Array(0);
const EMPTY_STRING = [0, 0, 0, 0];
const TWO_LETTERS = [0, 0, 0, 2, 0x61, 0x62];
const CHECK = [...int(OpCode.check), 0, ...int(-1), ...EMPTY_STRING, ...int(1)];
const FAILED = [...int(OpCode.error), 0, ...int(0), ...int(0)];
const MULTI_END = [...int(OpCode.error), 1, ...int(-1)];

export function growths(): readonly Growth[] {
  return [...ofClients(), ...ofPeers(), ...ofFiles(), ...ofTexts()];
}

function ofClients(): readonly Growth[] {
  const body = (type: number) => (bytes: Uint8Array) => decodeRequestBody(type, bytes);
  const reply = (type: number) => (bytes: Uint8Array) => decodeServerMessage(bytes, () => type);
  const replyHead = [...int(1), ...long(1), ...int(0)];
  return [
    { name: 'client: data', read: body(OpCode.setData), input: listOf({ head: EMPTY_STRING, part: [1], tail: int(-1) }) },
    {
      name: 'client: access control list',
      read: body(OpCode.setACL),
      input: listOf({ head: EMPTY_STRING, part: [...int(31), ...EMPTY_STRING, ...EMPTY_STRING], tail: int(-1) }),
      bytesPerByte: 16,
    },
    {
      name: 'client: paths of watches',
      read: body(OpCode.setWatches),
      input: listOf({ head: long(1), part: TWO_LETTERS, tail: [...int(0), ...int(0)] }),
      bytesPerByte: 20,
    },
    { name: 'client: operations of a multi', read: body(OpCode.multi), input: partsOf({ part: CHECK, tail: MULTI_END }), bytesPerByte: 10 },
    {
      name: 'client: names of children',
      read: reply(OpCode.getChildren),
      input: listOf({ head: replyHead, part: TWO_LETTERS }),
      bytesPerByte: 20,
    },
    {
      name: 'client: results of a multi',
      read: reply(OpCode.multi),
      input: partsOf({ head: replyHead, part: FAILED, tail: MULTI_END }),
      bytesPerByte: 8,
    },
  ];
}

function ofPeers(): readonly Growth[] {
  const run = { zxid: makeZxid(1, 1), payloads: [NOTHING] };
  return [
    {
      name: 'peer: piece of a snapshot',
      read: decodeMessage,
      input: (bytes) => encodeMessage({ type: 'PIECE', bytes: new Uint8Array(bytes), last: false }),
    },
    {
      name: 'peer: txns of a run',
      read: decodeMessage,
      input: (bytes) => encodeMessage({ type: 'PROPOSAL', run: { ...run, payloads: new Array(bytes >> 2).fill(NOTHING) } }),
      bytesPerByte: 32,
    },
    {
      name: 'peer: runs for a damaged store',
      read: decodeMessage,
      input: (bytes) => encodeMessage({ type: 'FOUND', runs: new Array(bytes >> 4).fill(run), more: false, end: makeZxid(1, 1) }),
      bytesPerByte: 24,
    },
    {
      name: 'peer: sessions held',
      read: decodeSessionMessage,
      input: listOf({ head: int(2), part: [...long(7), ...int(1), ...long(1)] }),
      bytesPerByte: 8,
    },
    { name: 'peer: touches', read: decodeTouches, input: listOf({ part: [...long(7), ...int(1)] }), bytesPerByte: 8 },
    { name: 'packets: commits of a leader', read: hearLeader, input: commits, bytesPerByte: 48 },
  ];
}

function ofFiles(): readonly Growth[] {
  const ZNODE_BYTES = 80;
  return [
    { name: 'log: operations of a txn', read: decodeTxn, input: multiTxn, bytesPerByte: 12 },
    ...storeGrowths(),
    {
      name: 'log: segments of a manifest',
      read: (bytes) => decodeManifest(bytes, 0),
      input: (bytes) => {
        const segments = Array.from({ length: Math.floor((bytes - 64) / 13) }, (_, id) => ({ id, base: NO_ZXID, end: undefined }));
        return encodeManifest({ ...EMPTY_MANIFEST, segments }, 0);
      },
      bytesPerByte: 8,
    },
    {
      name: 'backup: pieces',
      read: readBackup,
      input: (bytes) => new Uint8Array(Buffer.concat([...writeBackup(NO_ZXID, new Array(Math.floor(bytes / 5)).fill(Uint8Array.of(1)))])),
      bytesPerByte: 32,
    },
    {
      name: 'snapshot: znodes of a server',
      read: (bytes) => Database.deserialize(bytes, NO_ZXID),
      input: (bytes) => stateOf(databaseOf(Math.floor(bytes / ZNODE_BYTES))),
      bytesPerByte: 20,
    },
    {
      name: "Apache's files: txns of a log",
      read: readTxns,
      input: (bytes) => logOf(new Array(Math.floor(bytes / 53)).fill(encodeTxn(...SMALL_TXN))),
      bytesPerByte: 80,
    },
    {
      name: "Apache's files: znodes of a snapshot",
      read: readSnapshot,
      input: (bytes) => new Uint8Array(Buffer.concat([...apacheSnapshot(databaseOf(Math.floor(bytes / 100)), () => {})])),
      bytesPerByte: 16,
    },
  ];
}

function ofTexts(): readonly Growth[] {
  const text = new TextDecoder();
  return [
    {
      name: 'text: java properties',
      read: (bytes) => parseProperties(text.decode(bytes)),
      input: partsOf({ part: [0x61, 0x0a] }),
      bytesPerByte: 480,
    },
    {
      name: 'text: words of the shell',
      read: (bytes) => wordsOf(text.decode(bytes)),
      input: partsOf({ part: [0x61, 0x20] }),
      bytesPerByte: 96,
    },
    {
      name: 'text: connect string',
      read: (bytes) => parseConnectString(text.decode(bytes)),
      input: partsOf({ part: [0x61, 0x2c], tail: [0x61] }),
      bytesPerByte: 320,
    },
  ];
}

const SMALL_TXN: readonly [TxnHeader, Txn] = [
  { clientId: 7n, cxid: 1, zxid: makeZxid(1, 1), time: 1, type: OpCode.createSession },
  { type: OpCode.createSession, timeOut: 1 },
];

function multiTxn(bytes: number): Uint8Array {
  const txns = new Array(bytes >> 4).fill({ type: OpCode.check, path: '', version: 1 });
  return encodeTxn({ ...SMALL_TXN[0], type: OpCode.multi }, { type: OpCode.multi, txns });
}

interface Parts {
  readonly head?: readonly number[];
  readonly part: readonly number[];
  readonly tail?: readonly number[];
}

/** A part again and again. */
function partsOf({ head = [], part, tail = [] }: Parts): (bytes: number) => Uint8Array {
  return (bytes) => repeated(head, part, Math.floor(bytes / part.length), tail);
}

/** The same behind a count. */
function listOf({ head = [], part, tail = [] }: Parts): (bytes: number) => Uint8Array {
  return (bytes) => {
    const count = Math.floor(bytes / part.length);
    return repeated([...head, ...int(count)], part, count, tail);
  };
}

function repeated(head: readonly number[], part: readonly number[], count: number, tail: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(head.length + count * part.length + tail.length);
  bytes.set(head);
  for (let i = 0; i < count; i++) bytes.set(part, head.length + i * part.length);
  bytes.set(tail, head.length + count * part.length);
  return bytes;
}

function int(value: number): readonly number[] {
  return [value >> 24, value >> 16, value >> 8, value].map((byte) => byte & 0xff);
}

function long(value: number): readonly number[] {
  return [...int(0), ...int(value)];
}
