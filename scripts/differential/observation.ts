/** What was seen of a step, as plain data in which everything that must differ between two servers has a name instead of a value. */
import { EventType, errorName, opCodeName, type Zxid } from '@quorate/protocol';
import { hex, type Received } from './raw-connection.ts';

export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/** A reply, an event or the answer to a handshake. */
export type Message = { readonly [key: string]: Plain };

/** What came on a connection, in its order, and whether the server has ended it. */
export interface Seen {
  readonly messages: readonly Message[];
  readonly ended: boolean;
}

/** By connection: `slot 0`, or `slot 0, before` for one that a handshake of this step has replaced. Connections on which nothing happened are left out. */
export type Observation = { readonly [connection: string]: Seen };

/** Fields that hold a zxid: compared by their order alone. */
export const ZXID_FIELDS: ReadonlySet<string> = new Set(['zxid', 'czxid', 'mzxid', 'pzxid']);

/** How a server's own values are named. */
export interface Names {
  /** The folder of the run. */
  readonly folder: string;
  session(id: bigint): string;
  password(id: bigint, password: Uint8Array): string;
}

const eventNames = new Map<number, string>(Object.entries(EventType).map(([name, number]) => [number, name]));

export function messageOf(received: Received, names: Names): Message {
  switch (received.kind) {
    case 'connected': {
      const { sessionId, passwd, ...rest } = received;
      return { ...rest, sessionId: names.session(sessionId), passwd: names.password(sessionId, passwd) };
    }
    case 'event':
      return { ...received, type: eventNames.get(received.type) ?? received.type, path: nameOf(received.path, names) };
    case 'opaque':
      return { ...received, err: errorText(received.err) };
    default: {
      const { response, err, ...rest } = received;
      return { ...rest, err: errorText(err), ...(response !== undefined && { response: plain(response, names) }) };
    }
  }
}

/** The event that a message is; undefined for any other message. */
export function isEvent(message: Message): boolean {
  return message['kind'] === 'event';
}

function errorText(err: number): string {
  return errorName(err) ?? String(err);
}

/** Any record of an answer, by what its fields are called: new operations need nothing here. */
function plain(value: unknown, names: Names, field = ''): Plain {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return names.session(value);
  if (typeof value === 'string') return nameOf(value, names);
  if (typeof value === 'number') {
    if (field === 'err') return errorText(value);
    return field === 'type' ? (opCodeName(value) ?? value) : value;
  }
  if (typeof value === 'boolean') return value;
  if (value instanceof Uint8Array) return `0x${hex(value)}`;
  if (Array.isArray(value)) {
    const items = value.map((item) => plain(item, names));
    // A set by ZooKeeper's own rules: the reference gives its names in the order of a hash table.
    return field === 'children' || field === 'ephemerals' ? items.map(String).sort() : items;
  }
  const record = Object.entries(value).map(([key, item]) => [key, plain(item, names, key)] as const);
  return withTimes(Object.fromEntries(record), value);
}

/** Times are named by what must hold of them: a znode whose data was never changed has equal ones. */
function withTimes(record: Message, value: object): Message {
  if (!('ctime' in value && 'mtime' in value && 'czxid' in value && 'mzxid' in value)) return record;
  const { ctime, mtime, czxid, mzxid } = value as { ctime: number; mtime: number; czxid: Zxid; mzxid: Zxid };
  const changed = mtime < ctime ? 'before ctime' : czxid === mzxid && mtime !== ctime ? 'not ctime' : 'a time';
  return { ...record, ctime: ctime === 0 ? 'none' : 'a time', mtime: mtime === 0 ? 'none' : changed };
}

function nameOf(path: string, { folder }: Names): string {
  return path.replace(folder, '~');
}
