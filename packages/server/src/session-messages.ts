/**
 * What servers and leader tell one another about sessions: the payloads of REVALIDATE, and of the answers to PING.
 *
 * ZooKeeper's REVALIDATE asks whether a session lives and moves it to the asking server. Here it also tells which of two claims is the newer
 * one (`stamp`), because our client connections survive a change of leader, and the new leader does not know who holds what.
 */
import { JuteReader, JuteWriter, ProtocolError, unreachable, type Zxid } from '@quorate/protocol';

/**
 * When a session came to the server that holds it, ordered over all servers: the leader's epoch, then how many sessions have moved in it.
 * A new session's is the first of its epoch.
 */
export type OwnerStamp = number;

/** A session that a server holds. */
export interface HeldSession {
  readonly id: bigint;
  readonly timeOut: number;
  readonly stamp: OwnerStamp;
}

export type SessionMessage =
  /** server → leader: a client wants to go on with its session here. */
  | { readonly type: 'renew'; readonly session: bigint; readonly timeOut: number }
  /** server → leader: after a change of leader, the sessions whose connections this server has kept. */
  | { readonly type: 'hold'; readonly sessions: readonly HeldSession[] }
  /**
   * leader → server: the answer to `renew`. Where the session lives it belongs to that server now, and its client may go on there once
   * the leader is confirmed by a sync and all up to `zxid` is applied, so that it meets nothing of its earlier connections later on.
   */
  | { readonly type: 'renewed'; readonly session: bigint; readonly lives: boolean; readonly zxid: Zxid; readonly stamp: OwnerStamp }
  /** leader → server: the session belongs to another server, since `stamp`; a connection from before is to be closed. */
  | { readonly type: 'moved'; readonly session: bigint; readonly stamp: OwnerStamp }
  /** leader → server: the id of a new session is in use. */
  | { readonly type: 'taken'; readonly session: bigint };

const HELD_BYTES = 20;
const TOUCH_BYTES = 12;
const COUNT_BYTES = 4;

const tags = { renew: 1, hold: 2, renewed: 3, moved: 4, taken: 5 } as const;

export function encodeSessionMessage(message: SessionMessage): Uint8Array {
  const writer = new JuteWriter();
  writer.int(tags[message.type]);
  switch (message.type) {
    case 'renew':
      writer.long(message.session);
      writer.int(message.timeOut);
      break;
    case 'hold':
      writer.vector(message.sessions, writeHeld);
      break;
    case 'renewed':
      writer.long(message.session);
      writer.bool(message.lives);
      writer.zxid(message.zxid);
      writer.longNumber(message.stamp);
      break;
    case 'moved':
      writer.long(message.session);
      writer.longNumber(message.stamp);
      break;
    case 'taken':
      writer.long(message.session);
      break;
    default:
      unreachable(message);
  }
  return writer.finish();
}

/** @throws ProtocolError where the bytes are no such message. */
export function decodeSessionMessage(payload: Uint8Array): SessionMessage {
  const reader = new JuteReader(payload);
  const message = readMessage(reader);
  reader.finish();
  return message;
}

/** Sessions whose clients were heard, with the timeout that each has negotiated. */
export interface Touch {
  readonly id: bigint;
  readonly timeOut: number;
}

export function encodeTouches(touches: readonly Touch[]): Uint8Array {
  const writer = new JuteWriter(COUNT_BYTES + touches.length * TOUCH_BYTES);
  writer.vector(touches, (to, { id, timeOut }) => {
    to.long(id);
    to.int(timeOut);
  });
  return writer.finish();
}

/** @throws ProtocolError where the bytes are no list of touches. */
export function decodeTouches(payload: Uint8Array): Touch[] {
  const reader = new JuteReader(payload);
  const touches = reader.vector((from) => ({ id: from.long(), timeOut: from.int() }), TOUCH_BYTES);
  reader.finish();
  return touches;
}

function readMessage(reader: JuteReader): SessionMessage {
  const tag = reader.int();
  switch (tag) {
    case tags.renew:
      return { type: 'renew', session: reader.long(), timeOut: reader.int() };
    case tags.hold:
      return { type: 'hold', sessions: reader.vector(readHeld, HELD_BYTES) };
    case tags.renewed:
      return { type: 'renewed', session: reader.long(), lives: reader.bool(), zxid: reader.zxid(), stamp: reader.longNumber() };
    case tags.moved:
      return { type: 'moved', session: reader.long(), stamp: reader.longNumber() };
    case tags.taken:
      return { type: 'taken', session: reader.long() };
    default:
      throw new ProtocolError('BAD_VALUE', 'a message about sessions is of an unknown kind');
  }
}

function writeHeld(writer: JuteWriter, { id, timeOut, stamp }: HeldSession): void {
  writer.long(id);
  writer.int(timeOut);
  writer.longNumber(stamp);
}

function readHeld(reader: JuteReader): HeldSession {
  return { id: reader.long(), timeOut: reader.int(), stamp: reader.longNumber() };
}
