export {
  type Acl,
  aclCodec,
  CREATOR_ALL_ACL,
  type Id,
  idCodec,
  OPEN_ACL_UNSAFE,
  Permission,
  READ_ACL_UNSAFE,
  readAclList,
  writeAclList,
} from './acl.js';
export { assert, InvariantError, maybe, unreachable } from './assert.js';
export { decodeClientMessage, encodeClientMessage, readClientMessage, writeClientMessage } from './client-messages.js';
export type { Codec } from './codec.js';
export {
  type ConnectOptions,
  type DecodedConnectRequest,
  decodeConnectRequest,
  decodeConnectResponse,
  encodeConnectRequest,
  encodeConnectResponse,
} from './connect.js';
export { CRC32_START, crc32, crc32Of, crc32OfBytes, crc32OfInt, crc32OfInts, crc32OfText } from './crc32.js';
export { CreateMode, createModeFromFlag, hasTtl, isEphemeral, isSequential } from './create-mode.js';
export { CONTAINER_OWNER, isTtl, sessionOf, TTL_MS_MAX, ttlOf, ttlOwner } from './ephemeral-owner.js';
export { ErrorCode, type ErrorName, errorName, isZooKeeperError, ZooKeeperError, type ZooKeeperErrorOptions } from './errors.js';
export { FRAME_BYTES_MAX, FrameSplitter, frame } from './frame.js';
export { JuteReader } from './jute-reader.js';
export { JuteWriter } from './jute-writer.js';
export {
  type ClientMessage,
  type ConnectRequest,
  type ConnectResponse,
  type EventMessage,
  EventType,
  KeeperState,
  type MalformedMessage,
  type ReplyMessage,
  type RequestMessage,
  type ServerMessage,
  Xid,
} from './messages.js';
export { OpCode, opCodeName } from './opcode.js';
export { baseNameOf, joinPath, type PathOptions, parentOf, pathFault, validatePath } from './path.js';
export { isProtocolError, ProtocolError, type ProtocolErrorCode } from './protocol-error.js';
export { decodeRequestBody, writeRequest } from './request-codec.js';
export type {
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
export { AddWatchMode, WatcherType } from './requests.js';
export type {
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
  StatResponse,
  SyncResponse,
  WhoAmIResponse,
} from './responses.js';
export { decodeServerMessage, encodeServerMessage, writeServerMessage } from './server-messages.js';
export { formatSessionId } from './session-id.js';
export { STAT_BYTES, type Stat, statCodec } from './stat.js';
export { type DecodedTxn, decodeTxn, encodeTxn } from './txn-codec.js';
export type {
  CheckTxn,
  CloseSessionTxn,
  CreateContainerTxn,
  CreateSessionTxn,
  CreateTtlTxn,
  CreateTxn,
  DeleteTxn,
  ErrorTxn,
  MultiTxn,
  SetAclTxn,
  SetDataTxn,
  Txn,
  TxnDigest,
  TxnHeader,
} from './txns.js';
export { decodeUtf8, encodeUtf8 } from './utf8.js';
export {
  COUNTER_MAX,
  counterOf,
  EPOCH_MAX,
  epochOf,
  formatZxid,
  makeZxid,
  NO_ZXID,
  type Zxid,
  zxidFromBigInt,
  zxidToBigInt,
} from './zxid.js';
