/**
 * The bytes of requests, without their header (records of `org.apache.zookeeper.proto`).
 *
 * Bytes behind a request are ignored, as ZooKeeper's server ignores them: newer clients may add fields.
 */
import { readAclList, writeAclList } from './acl.js';
import { unreachable } from './assert.js';
import type { Codec } from './codec.js';
import { JuteReader } from './jute-reader.js';
import type { JuteWriter } from './jute-writer.js';
import { readMulti, writeMultiEnd, writeMultiHeader } from './multi-header.js';
import { OpCode, opCodeName } from './opcode.js';
import { ProtocolError } from './protocol-error.js';
import type {
  AddWatchRequest,
  AuthRequest,
  CheckRequest,
  CloseSessionRequest,
  CreateRequest,
  CreateTtlRequest,
  DeleteRequest,
  GetAclRequest,
  GetAllChildrenNumberRequest,
  GetEphemeralsRequest,
  MultiOp,
  MultiReadOp,
  MultiReadRequest,
  MultiRequest,
  PingRequest,
  ReadRequest,
  ReconfigRequest,
  Request,
  SetAclRequest,
  SetDataRequest,
  SetWatches2Request,
  SetWatchesRequest,
  SyncRequest,
  WatcherRequest,
  WhoAmIRequest,
} from './requests.js';

/**
 * The request of this type and body; its data are views of the bytes.
 *
 * @throws ProtocolError UNKNOWN_OPCODE for a type that is not known, else what is wrong with the body.
 */
export function decodeRequestBody(type: number, bytes: Uint8Array): Request {
  return readRequest(JuteReader.sharing(bytes), type);
}

/** Reads the body of a request. The operations that are not known yet end here, and only here. */
export function readRequest(reader: JuteReader, type: number): Request {
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
      return deleteCodec.read(reader);
    case OpCode.exists:
      return existsCodec.read(reader);
    case OpCode.getData:
      return getDataCodec.read(reader);
    case OpCode.getChildren:
      return getChildrenCodec.read(reader);
    case OpCode.getChildren2:
      return getChildren2Codec.read(reader);
    case OpCode.setData:
      return setDataCodec.read(reader);
    case OpCode.getACL:
      return getAclCodec.read(reader);
    case OpCode.setACL:
      return setAclCodec.read(reader);
    case OpCode.sync:
      return syncCodec.read(reader);
    case OpCode.check:
      return checkCodec.read(reader);
    case OpCode.multi:
      return multiCodec.read(reader);
    case OpCode.multiRead:
      return multiReadCodec.read(reader);
    case OpCode.getEphemerals:
      return getEphemeralsCodec.read(reader);
    case OpCode.getAllChildrenNumber:
      return getAllChildrenNumberCodec.read(reader);
    case OpCode.whoAmI:
      return WHO_AM_I;
    case OpCode.auth:
      return authCodec.read(reader);
    case OpCode.setWatches:
      return setWatchesCodec.read(reader);
    case OpCode.setWatches2:
      return setWatches2Codec.read(reader);
    case OpCode.addWatch:
      return addWatchCodec.read(reader);
    case OpCode.checkWatches:
      return checkWatchesCodec.read(reader);
    case OpCode.removeWatches:
      return removeWatchesCodec.read(reader);
    case OpCode.reconfig:
      return reconfigCodec.read(reader);
    case OpCode.ping:
      return PING;
    case OpCode.closeSession:
      return CLOSE_SESSION;
    default:
      throw new ProtocolError('UNKNOWN_OPCODE', `a request has the type ${type} (${opCodeName(type) ?? 'none of ZooKeeper'})`);
  }
}

/** Writes the body of a request. */
export function writeRequest(writer: JuteWriter, request: Request): void {
  switch (request.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return createCodec.write(writer, request);
    case OpCode.createTTL:
      return createTtlCodec.write(writer, request);
    case OpCode.delete:
      return deleteCodec.write(writer, request);
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getChildren:
    case OpCode.getChildren2:
      return existsCodec.write(writer, request);
    case OpCode.setData:
      return setDataCodec.write(writer, request);
    case OpCode.getACL:
      return getAclCodec.write(writer, request);
    case OpCode.setACL:
      return setAclCodec.write(writer, request);
    case OpCode.sync:
      return syncCodec.write(writer, request);
    case OpCode.check:
      return checkCodec.write(writer, request);
    case OpCode.multi:
      return multiCodec.write(writer, request);
    case OpCode.multiRead:
      return multiReadCodec.write(writer, request);
    case OpCode.getEphemerals:
      return getEphemeralsCodec.write(writer, request);
    case OpCode.getAllChildrenNumber:
      return getAllChildrenNumberCodec.write(writer, request);
    case OpCode.auth:
      return authCodec.write(writer, request);
    case OpCode.setWatches:
      return setWatchesCodec.write(writer, request);
    case OpCode.setWatches2:
      return setWatches2Codec.write(writer, request);
    case OpCode.addWatch:
      return addWatchCodec.write(writer, request);
    case OpCode.checkWatches:
    case OpCode.removeWatches:
      return checkWatchesCodec.write(writer, request);
    case OpCode.reconfig:
      return reconfigCodec.write(writer, request);
    case OpCode.whoAmI:
    case OpCode.ping:
    case OpCode.closeSession:
      return;
    default:
      return unreachable(request);
  }
}

const PING: PingRequest = Object.freeze({ type: OpCode.ping });
const CLOSE_SESSION: CloseSessionRequest = Object.freeze({ type: OpCode.closeSession });

const WHO_AM_I: WhoAmIRequest = Object.freeze({ type: OpCode.whoAmI });

const createCodec = createCodecOf(OpCode.create);
const create2Codec = createCodecOf(OpCode.create2);
const createContainerCodec = createCodecOf(OpCode.createContainer);
const existsCodec = readCodecOf(OpCode.exists);
const getDataCodec = readCodecOf(OpCode.getData);
const getChildrenCodec = readCodecOf(OpCode.getChildren);
const getChildren2Codec = readCodecOf(OpCode.getChildren2);
const checkWatchesCodec = watcherCodecOf(OpCode.checkWatches);
const removeWatchesCodec = watcherCodecOf(OpCode.removeWatches);

function createCodecOf(type: CreateRequest['type']): Codec<CreateRequest> {
  return {
    read(reader) {
      return { type, path: reader.string(), data: reader.buffer(), acl: readAclList(reader), flags: reader.int() };
    },
    write(writer, request) {
      writer.string(request.path);
      writer.buffer(request.data);
      writeAclList(writer, request.acl);
      writer.int(request.flags);
    },
  };
}

/** Record `CreateTTLRequest`. */
const createTtlCodec: Codec<CreateTtlRequest> = {
  read(reader) {
    return {
      type: OpCode.createTTL,
      path: reader.string(),
      data: reader.buffer(),
      acl: readAclList(reader),
      flags: reader.int(),
      ttl: readTtl(reader),
    };
  },
  write(writer, request) {
    writer.string(request.path);
    writer.buffer(request.data);
    writeAclList(writer, request.acl);
    writer.int(request.flags);
    writer.longNumber(request.ttl);
  },
};

/** A time that no number holds is far out of bounds for a TTL, so the nearest one that a number holds is judged in the same way. */
function readTtl(reader: JuteReader): number {
  const ttl = Number(reader.long());
  return Math.min(Math.max(ttl, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

/** Records `ExistsRequest`, `GetDataRequest`, `GetChildrenRequest`, `GetChildren2Request`: all the same bytes. */
function readCodecOf(type: ReadRequest['type']): Codec<ReadRequest> {
  return {
    read(reader) {
      return { type, path: reader.string(), watch: reader.bool() };
    },
    write(writer, request) {
      writer.string(request.path);
      writer.bool(request.watch);
    },
  };
}

const deleteCodec: Codec<DeleteRequest> = {
  read(reader) {
    return { type: OpCode.delete, path: reader.string(), version: reader.int() };
  },
  write(writer, request) {
    writer.string(request.path);
    writer.int(request.version);
  },
};

const setDataCodec: Codec<SetDataRequest> = {
  read(reader) {
    return { type: OpCode.setData, path: reader.string(), data: reader.buffer(), version: reader.int() };
  },
  write(writer, request) {
    writer.string(request.path);
    writer.buffer(request.data);
    writer.int(request.version);
  },
};

const getAclCodec: Codec<GetAclRequest> = {
  read(reader) {
    return { type: OpCode.getACL, path: reader.string() };
  },
  write(writer, request) {
    writer.string(request.path);
  },
};

const setAclCodec: Codec<SetAclRequest> = {
  read(reader) {
    return { type: OpCode.setACL, path: reader.string(), acl: readAclList(reader), version: reader.int() };
  },
  write(writer, request) {
    writer.string(request.path);
    writeAclList(writer, request.acl);
    writer.int(request.version);
  },
};

const syncCodec: Codec<SyncRequest> = {
  read(reader) {
    return { type: OpCode.sync, path: reader.string() };
  },
  write(writer, request) {
    writer.string(request.path);
  },
};

/** Record `CheckVersionRequest`. */
const checkCodec: Codec<CheckRequest> = {
  read(reader) {
    return { type: OpCode.check, path: reader.string(), version: reader.int() };
  },
  write(writer, request) {
    writer.string(request.path);
    writer.int(request.version);
  },
};

/** `MultiOperationRecord`. Any flags of a create are let through, as ZooKeeper 3.8.0 does: whoever prepares the txn judges them. */
const multiCodec: Codec<MultiRequest> = {
  read(reader) {
    return { type: OpCode.multi, ops: readMulti(reader, readMultiOp) };
  },
  write(writer, request) {
    for (const op of request.ops) {
      writeMultiHeader(writer, op.type);
      writeRequest(writer, op);
    }
    writeMultiEnd(writer);
  },
};

function readMultiOp(reader: JuteReader, type: number): MultiOp {
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
      return deleteCodec.read(reader);
    case OpCode.setData:
      return setDataCodec.read(reader);
    case OpCode.check:
      return checkCodec.read(reader);
    default:
      throw new ProtocolError('BAD_VALUE', `a multi holds an operation of the type ${type} (${opCodeName(type) ?? 'none of ZooKeeper'})`);
  }
}

/** `MultiOperationRecord` with reads; the two kinds are never mixed. */
const multiReadCodec: Codec<MultiReadRequest> = {
  read(reader) {
    return { type: OpCode.multiRead, ops: readMulti(reader, readMultiReadOp) };
  },
  write(writer, request) {
    for (const op of request.ops) {
      writeMultiHeader(writer, op.type);
      existsCodec.write(writer, op);
    }
    writeMultiEnd(writer);
  },
};

function readMultiReadOp(reader: JuteReader, type: number): MultiReadOp {
  if (type === OpCode.getData || type === OpCode.getChildren) return { type, path: reader.string(), watch: reader.bool() };
  throw new ProtocolError('BAD_VALUE', `a multiRead holds an operation of the type ${type} (${opCodeName(type) ?? 'none of ZooKeeper'})`);
}

const getEphemeralsCodec: Codec<GetEphemeralsRequest> = {
  read(reader) {
    return { type: OpCode.getEphemerals, prefixPath: reader.string() };
  },
  write(writer, request) {
    writer.string(request.prefixPath);
  },
};

const getAllChildrenNumberCodec: Codec<GetAllChildrenNumberRequest> = {
  read(reader) {
    return { type: OpCode.getAllChildrenNumber, path: reader.string() };
  },
  write(writer, request) {
    writer.string(request.path);
  },
};

/** Record `AuthPacket`. An empty proof proves what its scheme makes of it; a null one cannot prove anything. */
const authCodec: Codec<AuthRequest> = {
  read(reader) {
    return { type: OpCode.auth, authType: reader.int(), scheme: reader.string(), auth: readProof(reader) };
  },
  write(writer, request) {
    writer.int(request.authType);
    writer.string(request.scheme);
    writer.buffer(request.auth);
  },
};

const setWatchesCodec: Codec<SetWatchesRequest> = {
  read(reader) {
    return {
      type: OpCode.setWatches,
      relativeZxid: reader.zxid(),
      dataWatches: reader.strings(),
      existWatches: reader.strings(),
      childWatches: reader.strings(),
    };
  },
  write(writer, request) {
    writer.zxid(request.relativeZxid);
    writer.strings(request.dataWatches);
    writer.strings(request.existWatches);
    writer.strings(request.childWatches);
  },
};

const setWatches2Codec: Codec<SetWatches2Request> = {
  read(reader) {
    return {
      type: OpCode.setWatches2,
      relativeZxid: reader.zxid(),
      dataWatches: reader.strings(),
      existWatches: reader.strings(),
      childWatches: reader.strings(),
      persistentWatches: reader.strings(),
      persistentRecursiveWatches: reader.strings(),
    };
  },
  write(writer, request) {
    writer.zxid(request.relativeZxid);
    writer.strings(request.dataWatches);
    writer.strings(request.existWatches);
    writer.strings(request.childWatches);
    writer.strings(request.persistentWatches);
    writer.strings(request.persistentRecursiveWatches);
  },
};

const addWatchCodec: Codec<AddWatchRequest> = {
  read(reader) {
    return { type: OpCode.addWatch, path: reader.string(), mode: reader.int() };
  },
  write(writer, request) {
    writer.string(request.path);
    writer.int(request.mode);
  },
};

/** Records `CheckWatchesRequest` and `RemoveWatchesRequest`: the same bytes. */
function watcherCodecOf(type: WatcherRequest['type']): Codec<WatcherRequest> {
  return {
    read(reader) {
      return { type, path: reader.string(), watcherType: reader.int() };
    },
    write(writer, request) {
      writer.string(request.path);
      writer.int(request.watcherType);
    },
  };
}

const reconfigCodec: Codec<ReconfigRequest> = {
  read(reader) {
    return {
      type: OpCode.reconfig,
      joiningServers: reader.nullableString(),
      leavingServers: reader.nullableString(),
      newMembers: reader.nullableString(),
      curConfigId: reader.long(),
    };
  },
  write(writer, request) {
    writer.nullableString(request.joiningServers);
    writer.nullableString(request.leavingServers);
    writer.nullableString(request.newMembers);
    writer.long(request.curConfigId);
  },
};

function readProof(reader: JuteReader): Uint8Array {
  const proof = reader.buffer();
  if (proof === null) throw new ProtocolError('BAD_VALUE', 'the proof of an auth request is null');
  return proof;
}
