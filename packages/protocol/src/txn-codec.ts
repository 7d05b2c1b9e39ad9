/**
 * The bytes of txns: a header, a record and, where the leader keeps one, a digest (`SerializeUtils`, records of `org.apache.zookeeper.txn`).
 */
import { readAclList, writeAclList } from './acl.js';
import { assert, unreachable } from './assert.js';
import type { Codec } from './codec.js';
import { ErrorCode } from './errors.js';
import { JuteReader } from './jute-reader.js';
import { JuteWriter } from './jute-writer.js';
import { OpCode, opCodeName } from './opcode.js';
import { ProtocolError } from './protocol-error.js';
import type {
  CheckTxn,
  CloseSessionTxn,
  CreateContainerTxn,
  CreateSessionTxn,
  CreateTtlTxn,
  CreateTxn,
  ErrorTxn,
  MultiTxn,
  SetAclTxn,
  SetDataTxn,
  Txn,
  TxnDigest,
  TxnHeader,
} from './txns.js';

/** A txn as it is proposed and logged; those of one writer share arrays, as `JuteWriter.cut` says. The types of header and body must be equal. */
export function encodeTxn(header: TxnHeader, txn: Txn, digest?: TxnDigest, writer = new JuteWriter()): Uint8Array {
  assert(header.type === txn.type, 'the header of a txn names the type of its body');
  writer.clear();
  headerCodec.write(writer, header);
  writeTxn(writer, txn);
  if (digest !== undefined) digestCodec.write(writer, digest);
  return writer.cut();
}

/** A txn and what came with it. */
export interface DecodedTxn {
  readonly header: TxnHeader;
  readonly txn: Txn;
  readonly digest: TxnDigest | undefined;
}

/** The txn of these bytes, whose data are views of them. @throws ProtocolError UNKNOWN_OPCODE for a type that is not known, else what is wrong with the bytes. */
export function decodeTxn(bytes: Uint8Array): DecodedTxn {
  const reader = JuteReader.sharing(bytes);
  const header = headerCodec.read(reader);
  const txn = readTxn(reader, header.type);
  const digest = reader.remaining === DIGEST_BYTES ? digestCodec.read(reader) : undefined;
  reader.finish();
  return { header, txn, digest };
}

function readTxn(reader: JuteReader, type: number): Txn {
  switch (type) {
    case OpCode.setACL:
      return setAclCodec.read(reader);
    case OpCode.createSession:
      return createSessionCodec.read(reader);
    case OpCode.closeSession:
      return closeSessionCodec.read(reader);
    case OpCode.multi:
      return multiCodec.read(reader);
    default: {
      const txn = readMultiPart(reader, type);
      if (txn === undefined)
        throw new ProtocolError('UNKNOWN_OPCODE', `a txn has the type ${type} (${opCodeName(type) ?? 'none of ZooKeeper'})`);
      return txn;
    }
  }
}

/** Reads what can stand in a multi as well as alone; undefined for any other type. */
function readMultiPart(reader: JuteReader, type: number): Txn | undefined {
  switch (type) {
    case OpCode.create:
      return createCodec.read(reader);
    case OpCode.create2:
      return create2Codec.read(reader);
    case OpCode.createContainer:
      return createContainerCodec.read(reader);
    case OpCode.createTTL:
      return createTtlCodec.read(reader);
    case OpCode.delete:
    case OpCode.deleteContainer:
      return { type, path: reader.string() };
    case OpCode.setData:
      return setDataCodec.read(reader);
    case OpCode.check:
      return checkCodec.read(reader);
    case OpCode.error:
      return errorCodec.read(reader);
    default:
      return undefined;
  }
}

function writeTxn(writer: JuteWriter, txn: Txn): void {
  switch (txn.type) {
    case OpCode.create:
    case OpCode.create2:
      return createCodec.write(writer, txn);
    case OpCode.createContainer:
      return createContainerCodec.write(writer, txn);
    case OpCode.createTTL:
      return createTtlCodec.write(writer, txn);
    case OpCode.delete:
    case OpCode.deleteContainer:
      return writer.string(txn.path);
    case OpCode.setData:
      return setDataCodec.write(writer, txn);
    case OpCode.setACL:
      return setAclCodec.write(writer, txn);
    case OpCode.createSession:
      return createSessionCodec.write(writer, txn);
    case OpCode.closeSession:
      return closeSessionCodec.write(writer, txn);
    case OpCode.check:
      return checkCodec.write(writer, txn);
    case OpCode.error:
      return errorCodec.write(writer, txn);
    case OpCode.multi:
      return multiCodec.write(writer, txn);
    default:
      return unreachable(txn);
  }
}

const headerCodec: Codec<TxnHeader> = {
  read(reader) {
    return { clientId: reader.long(), cxid: reader.int(), zxid: reader.zxid(), time: reader.longNumber(), type: reader.int() };
  },
  write(writer, header) {
    writer.long(header.clientId);
    writer.int(header.cxid);
    writer.zxid(header.zxid);
    writer.longNumber(header.time);
    writer.int(header.type);
  },
};

const DIGEST_BYTES = 12;

const digestCodec: Codec<TxnDigest> = {
  read(reader) {
    return { version: reader.int(), high: reader.int() >>> 0, low: reader.int() >>> 0 };
  },
  write(writer, digest) {
    writer.int(digest.version);
    writer.int(digest.high);
    writer.int(digest.low);
  },
};

const createCodec = createCodecOf(OpCode.create);
const create2Codec = createCodecOf(OpCode.create2);

function createCodecOf(type: CreateTxn['type']): Codec<CreateTxn> {
  return {
    read(reader) {
      return {
        type,
        path: reader.string(),
        data: reader.buffer(),
        acl: readAclList(reader),
        ephemeral: reader.bool(),
        parentCVersion: reader.int(),
      };
    },
    write(writer, txn) {
      writer.string(txn.path);
      writer.buffer(txn.data);
      writeAclList(writer, txn.acl);
      writer.bool(txn.ephemeral);
      writer.int(txn.parentCVersion);
    },
  };
}

const createContainerCodec: Codec<CreateContainerTxn> = {
  read(reader) {
    return {
      type: OpCode.createContainer,
      path: reader.string(),
      data: reader.buffer(),
      acl: readAclList(reader),
      parentCVersion: reader.int(),
    };
  },
  write(writer, txn) {
    writer.string(txn.path);
    writer.buffer(txn.data);
    writeAclList(writer, txn.acl);
    writer.int(txn.parentCVersion);
  },
};

const createTtlCodec: Codec<CreateTtlTxn> = {
  read(reader) {
    return {
      type: OpCode.createTTL,
      path: reader.string(),
      data: reader.buffer(),
      acl: readAclList(reader),
      parentCVersion: reader.int(),
      ttl: reader.longNumber(),
    };
  },
  write(writer, txn) {
    writer.string(txn.path);
    writer.buffer(txn.data);
    writeAclList(writer, txn.acl);
    writer.int(txn.parentCVersion);
    writer.longNumber(txn.ttl);
  },
};

const setDataCodec: Codec<SetDataTxn> = {
  read(reader) {
    return { type: OpCode.setData, path: reader.string(), data: reader.buffer(), version: reader.int() };
  },
  write(writer, txn) {
    writer.string(txn.path);
    writer.buffer(txn.data);
    writer.int(txn.version);
  },
};

const setAclCodec: Codec<SetAclTxn> = {
  read(reader) {
    return { type: OpCode.setACL, path: reader.string(), acl: readAclList(reader), version: reader.int() };
  },
  write(writer, txn) {
    writer.string(txn.path);
    writeAclList(writer, txn.acl);
    writer.int(txn.version);
  },
};

const createSessionCodec: Codec<CreateSessionTxn> = {
  read(reader) {
    return { type: OpCode.createSession, timeOut: reader.int() };
  },
  write(writer, txn) {
    writer.int(txn.timeOut);
  },
};

const closeSessionCodec: Codec<CloseSessionTxn> = {
  read(reader) {
    return { type: OpCode.closeSession, paths: reader.strings() };
  },
  write(writer, txn) {
    writer.strings(txn.paths);
  },
};

const checkCodec: Codec<CheckTxn> = {
  read(reader) {
    return { type: OpCode.check, path: reader.string(), version: reader.int() };
  },
  write(writer, txn) {
    writer.string(txn.path);
    writer.int(txn.version);
  },
};

const ERROR_BYTES = 4;

const errorCodec: Codec<ErrorTxn> = {
  read(reader) {
    return { type: OpCode.error, err: reader.int() };
  },
  write(writer, txn) {
    writer.int(txn.err);
  },
};

/** A type and the length of the record. */
const PART_BYTES_MIN = 8;

/** Record `MultiTxn`: records `Txn`, each a type and, behind its length, the record of that type. */
const multiCodec: Codec<MultiTxn> = {
  read(reader) {
    return { type: OpCode.multi, txns: reader.vector(readPart, PART_BYTES_MIN) };
  },
  write(writer, txn) {
    writer.vector(txn.txns, writePart);
  },
};

function readPart(reader: JuteReader): Txn {
  const type = reader.int();
  const record = reader.enclosed();
  // ZooKeeper applies a multi that has failed by changing the type of each part before the one that did, and leaves its record where it is. A leader may do
  // so before it logs the multi, and forwards it so to a learner that synchronizes later.
  if (type === OpCode.error && record.remaining > ERROR_BYTES) return { type, err: ErrorCode.OK };
  const txn = readMultiPart(record, type);
  // A multi within a multi is refused here too, so that nothing nests without end.
  if (txn === undefined)
    throw new ProtocolError('BAD_VALUE', `a multi holds a txn of the type ${type} (${opCodeName(type) ?? 'none of ZooKeeper'})`);
  record.finish();
  return txn;
}

function writePart(writer: JuteWriter, txn: Txn): void {
  assert(txn.type !== OpCode.multi, 'no multi stands in a multi');
  writer.int(txn.type);
  const length = writer.beginLength();
  writeTxn(writer, txn);
  writer.endLength(length);
}
