/**
 * The bytes of answers, without their header (records of `org.apache.zookeeper.proto`).
 *
 * Bytes behind an answer are ignored, as ZooKeeper's clients ignore them.
 */
import { idCodec, readAclList, writeAclList } from './acl.js';
import { unreachable } from './assert.js';
import type { Codec } from './codec.js';
import { ErrorCode } from './errors.js';
import type { JuteReader } from './jute-reader.js';
import type { JuteWriter } from './jute-writer.js';
import { readMulti, writeMultiEnd, writeMultiHeader } from './multi-header.js';
import { OpCode, opCodeName } from './opcode.js';
import { ProtocolError } from './protocol-error.js';
import type {
  AddWatchResponse,
  Create2Response,
  CreateResponse,
  GetAclResponse,
  GetAllChildrenNumberResponse,
  GetChildren2Response,
  GetChildrenResponse,
  GetDataResponse,
  GetEphemeralsResponse,
  MultiReadResponse,
  MultiResponse,
  OpResult,
  ReadResult,
  Response,
  SyncResponse,
  WhoAmIResponse,
} from './responses.js';
import { statCodec } from './stat.js';

/** Reads the answer to a request of this type; undefined where the header says all. */
export function readResponse(reader: JuteReader, type: number): Response | undefined {
  switch (type) {
    case OpCode.create:
      return createCodec.read(reader);
    case OpCode.create2:
      return create2Codec.read(reader);
    case OpCode.createContainer:
    case OpCode.createTTL:
      return { type, path: reader.string(), stat: statCodec.read(reader) };
    case OpCode.exists:
      return { type: OpCode.exists, stat: statCodec.read(reader) };
    case OpCode.setData:
      return { type: OpCode.setData, stat: statCodec.read(reader) };
    case OpCode.setACL:
      return { type: OpCode.setACL, stat: statCodec.read(reader) };
    case OpCode.getData:
      return getDataCodec.read(reader);
    case OpCode.getACL:
      return getAclCodec.read(reader);
    case OpCode.getChildren:
      return getChildrenCodec.read(reader);
    case OpCode.getChildren2:
      return getChildren2Codec.read(reader);
    case OpCode.sync:
      return syncCodec.read(reader);
    case OpCode.multi:
      return multiCodec.read(reader);
    case OpCode.multiRead:
      return multiReadCodec.read(reader);
    case OpCode.getEphemerals:
      return getEphemeralsCodec.read(reader);
    case OpCode.getAllChildrenNumber:
      return getAllChildrenNumberCodec.read(reader);
    case OpCode.whoAmI:
      return whoAmICodec.read(reader);
    case OpCode.addWatch:
      return addWatchCodec.read(reader);
    case OpCode.delete:
    case OpCode.check:
    case OpCode.ping:
    case OpCode.auth:
    case OpCode.setWatches:
    case OpCode.setWatches2:
    case OpCode.checkWatches:
    case OpCode.removeWatches:
    case OpCode.closeSession:
      return undefined;
    default:
      throw new ProtocolError(
        'UNKNOWN_OPCODE',
        `an answer is to a request of the type ${type} (${opCodeName(type) ?? 'none of ZooKeeper'})`,
      );
  }
}

/** Writes an answer. */
export function writeResponse(writer: JuteWriter, response: Response): void {
  switch (response.type) {
    case OpCode.create:
      return createCodec.write(writer, response);
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return writeCreate2(writer, response);
    case OpCode.exists:
    case OpCode.setData:
    case OpCode.setACL:
      return statCodec.write(writer, response.stat);
    case OpCode.getData:
      return getDataCodec.write(writer, response);
    case OpCode.getACL:
      return getAclCodec.write(writer, response);
    case OpCode.getChildren:
      return getChildrenCodec.write(writer, response);
    case OpCode.getChildren2:
      return getChildren2Codec.write(writer, response);
    case OpCode.sync:
      return syncCodec.write(writer, response);
    case OpCode.multi:
      return multiCodec.write(writer, response);
    case OpCode.multiRead:
      return multiReadCodec.write(writer, response);
    case OpCode.getEphemerals:
      return getEphemeralsCodec.write(writer, response);
    case OpCode.getAllChildrenNumber:
      return getAllChildrenNumberCodec.write(writer, response);
    case OpCode.whoAmI:
      return whoAmICodec.write(writer, response);
    case OpCode.addWatch:
      return addWatchCodec.write(writer, response);
    default:
      return unreachable(response);
  }
}

const createCodec: Codec<CreateResponse> = {
  read(reader) {
    return { type: OpCode.create, path: reader.string() };
  },
  write(writer, response) {
    writer.string(response.path);
  },
};

const create2Codec: Codec<Create2Response & { readonly type: typeof OpCode.create2 }> = {
  read(reader) {
    return { type: OpCode.create2, path: reader.string(), stat: statCodec.read(reader) };
  },
  write: writeCreate2,
};

/** Record `Create2Response`, which answers createContainer and createTTL too. */
function writeCreate2(writer: JuteWriter, response: Create2Response): void {
  writer.string(response.path);
  statCodec.write(writer, response.stat);
}

const getDataCodec: Codec<GetDataResponse> = {
  read(reader) {
    return { type: OpCode.getData, data: reader.buffer(), stat: statCodec.read(reader) };
  },
  write(writer, response) {
    writer.buffer(response.data);
    statCodec.write(writer, response.stat);
  },
};

const getAclCodec: Codec<GetAclResponse> = {
  read(reader) {
    return { type: OpCode.getACL, acl: readAclList(reader), stat: statCodec.read(reader) };
  },
  write(writer, response) {
    writeAclList(writer, response.acl);
    statCodec.write(writer, response.stat);
  },
};

const getChildrenCodec: Codec<GetChildrenResponse> = {
  read(reader) {
    return { type: OpCode.getChildren, children: reader.strings() };
  },
  write(writer, response) {
    writer.strings(response.children);
  },
};

const getChildren2Codec: Codec<GetChildren2Response> = {
  read(reader) {
    return { type: OpCode.getChildren2, children: reader.strings(), stat: statCodec.read(reader) };
  },
  write(writer, response) {
    writer.strings(response.children);
    statCodec.write(writer, response.stat);
  },
};

const syncCodec: Codec<SyncResponse> = {
  read(reader) {
    return { type: OpCode.sync, path: reader.string() };
  },
  write(writer, response) {
    writer.string(response.path);
  },
};

/** Nobody reads the err: where it is not 0, the header has it too. */
const addWatchCodec: Codec<AddWatchResponse> = {
  read(reader) {
    reader.int();
    return { type: OpCode.addWatch };
  },
  write(writer) {
    writer.int(ErrorCode.OK);
  },
};

const multiCodec: Codec<MultiResponse> = {
  read(reader) {
    return { type: OpCode.multi, results: readMulti(reader, readOpResult) };
  },
  write(writer, response) {
    for (const result of response.results) writeOpResult(writer, result);
    writeMultiEnd(writer);
  },
};

function readOpResult(reader: JuteReader, type: number): OpResult {
  switch (type) {
    case OpCode.create:
      return createCodec.read(reader);
    case OpCode.create2:
      return create2Codec.read(reader);
    case OpCode.delete:
      return { type: OpCode.delete };
    case OpCode.setData:
      return { type: OpCode.setData, stat: statCodec.read(reader) };
    case OpCode.check:
      return { type: OpCode.check };
    case OpCode.error:
      return { type: OpCode.error, err: reader.int() };
    default:
      throw new ProtocolError('BAD_VALUE', `a multi holds a result of the type ${type} (${opCodeName(type) ?? 'none of ZooKeeper'})`);
  }
}

/** `MultiResponse`: the err stands in the header and, behind it, in a record `ErrorResponse`. */
function writeOpResult(writer: JuteWriter, result: OpResult): void {
  writeMultiHeader(writer, result.type, result.type === OpCode.error ? result.err : 0);
  switch (result.type) {
    case OpCode.create:
      return createCodec.write(writer, result);
    case OpCode.create2:
      return create2Codec.write(writer, result);
    case OpCode.setData:
      return statCodec.write(writer, result.stat);
    case OpCode.error:
      return writer.int(result.err);
    case OpCode.delete:
    case OpCode.check:
      return;
    default:
      return unreachable(result);
  }
}

/** `MultiResponse` with the results of reads. */
const multiReadCodec: Codec<MultiReadResponse> = {
  read(reader) {
    return { type: OpCode.multiRead, results: readMulti(reader, readReadResult) };
  },
  write(writer, response) {
    for (const result of response.results) writeReadResult(writer, result);
    writeMultiEnd(writer);
  },
};

function readReadResult(reader: JuteReader, type: number): ReadResult {
  switch (type) {
    case OpCode.getData:
      return getDataCodec.read(reader);
    case OpCode.getChildren:
      return getChildrenCodec.read(reader);
    case OpCode.error:
      return { type: OpCode.error, err: reader.int() };
    default:
      throw new ProtocolError('BAD_VALUE', `a multiRead holds a result of the type ${type} (${opCodeName(type) ?? 'none of ZooKeeper'})`);
  }
}

function writeReadResult(writer: JuteWriter, result: ReadResult): void {
  writeMultiHeader(writer, result.type, result.type === OpCode.error ? result.err : 0);
  switch (result.type) {
    case OpCode.getData:
      return getDataCodec.write(writer, result);
    case OpCode.getChildren:
      return getChildrenCodec.write(writer, result);
    case OpCode.error:
      return writer.int(result.err);
    default:
      return unreachable(result);
  }
}

const getEphemeralsCodec: Codec<GetEphemeralsResponse> = {
  read(reader) {
    return { type: OpCode.getEphemerals, ephemerals: reader.strings() };
  },
  write(writer, response) {
    writer.strings(response.ephemerals);
  },
};

const getAllChildrenNumberCodec: Codec<GetAllChildrenNumberResponse> = {
  read(reader) {
    return { type: OpCode.getAllChildrenNumber, totalNumber: reader.int() };
  },
  write(writer, response) {
    writer.int(response.totalNumber);
  },
};

/** Two empty strings. */
const CLIENT_INFO_BYTES_MIN = 8;

/** Record `WhoAmIResponse`; a `ClientInfo` has the bytes of an `Id`. */
const whoAmICodec: Codec<WhoAmIResponse> = {
  read(reader) {
    return { type: OpCode.whoAmI, clientInfo: reader.vector(idCodec.read, CLIENT_INFO_BYTES_MIN) };
  },
  write(writer, response) {
    writer.vector(response.clientInfo, idCodec.write);
  },
};
