/** One of the two servers that a history runs against: its slots, their sessions and connections, and what is seen of each step. */
import {
  encodeClientMessage,
  encodeConnectRequest,
  JuteWriter,
  type MultiOp,
  NO_ZXID,
  OpCode,
  type Request,
  type SetWatchesRequest,
  Xid,
  type Zxid,
} from '@quorate/protocol';
import { Control } from './control.ts';
import { type BytesStep, type ConnectStep, isSilent, type RequestStep, type Since, SLOTS, type Step } from './history.ts';
import { type Message, messageOf, type Names, type Observation, type Seen } from './observation.ts';
import { RawConnection, type Received } from './raw-connection.ts';
import { type Session, Sessions } from './sessions.ts';
import { SESSION_TIMEOUT_MAX_MS } from './settings.ts';

/** After so long without an answer there is none. */
const ANSWER_TIMEOUT_MS = 5_000;
/** Above the xids of steps: of what is sent to be sure that nothing is under way. */
const QUIESCE_XID = 1_000_000;
/** How far a client is ahead that has seen the future. */
const FUTURE = 0x10_0000;

/** A history has a folder here as well. */
const QUOTA = '/zookeeper/quota';

interface Slot {
  connection: RawConnection | undefined;
  session: Session | undefined;
  /** The one that it ended last. */
  closed: Session | undefined;
  xid: number;
  /** The greatest zxid in the header of a reply that its client has got. */
  seen: Zxid;
  /** What its connection has proved, as ids of the scheme digest. */
  proved: string[];
}

export class Side {
  readonly #port: number;
  readonly #folder: string;
  readonly #control: Control;
  readonly #sessions = new Sessions();
  readonly #slots: Slot[] = [];
  readonly #names: Names;
  /** The zxid before the first step. */
  readonly #start: Zxid;

  private constructor(port: number, folder: string, control: Control, start: Zxid) {
    this.#port = port;
    this.#folder = folder;
    this.#control = control;
    this.#start = start;
    const sessions = this.#sessions;
    this.#names = { folder, session: (id) => sessions.nameOf(id), password: (id, password) => sessions.nameOfPassword(id, password) };
    for (let i = 0; i < SLOTS; i++)
      this.#slots.push({ connection: undefined, session: undefined, closed: undefined, xid: 0, seen: NO_ZXID, proved: [] });
  }

  /** A side with an empty folder of its own, which must not be there yet. */
  static async open(port: number, folder: string): Promise<Side> {
    const control = await Control.open(port);
    const start = await control.create(folder);
    return new Side(port, folder, control, start);
  }

  /** Does a step, waits until nothing is under way, and tells what was seen. */
  async run(step: Step): Promise<Observation> {
    const slot = this.#slot(step.slot);
    let before: RawConnection | undefined;
    const taken: Received[] = [];
    if (step.kind === 'drop') this.reset(step.slot);
    else if (step.kind === 'connect') {
      before = slot.connection;
      await this.#connect(slot, step);
    } else {
      taken.push(...(await this.#ensureConnected(slot)));
      await this.#ask(slot, step);
    }
    return this.#observe(step, before, taken);
  }

  /** Cuts the connection of a slot from this side; its session lives on. */
  reset(number: number): void {
    const slot = this.#slot(number);
    slot.connection?.destroy();
    slot.connection = undefined;
  }

  /** A txn of no interest, which the slot's client counts as seen: so a step that was a txn, or an answer, of one server only leaves no trace. */
  async catchUp(number: number): Promise<void> {
    await this.#control.write(this.#folder);
    this.#slot(number).seen = this.#control.lastZxid;
  }

  /** The ACLs of these paths, as far as there are such znodes: a list of `perms scheme:id` for each. */
  acls(paths: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#control.acls(paths, (path) => this.#placed(path));
  }

  /** What the connection of a slot has proved. */
  proved(number: number): readonly string[] {
    return this.#slot(number).proved;
  }

  /** Ends every session of the history. */
  async close(): Promise<void> {
    for (let i = 0; i < SLOTS; i++) this.reset(i);
    for (const session of this.#sessions.open) {
      const slot: Slot = { connection: undefined, session, closed: undefined, xid: 0, seen: NO_ZXID, proved: [] };
      await this.#connect(slot, CONNECT_OWN);
      await this.#ask(slot, { kind: 'request', slot: 0, request: { type: OpCode.closeSession } });
      slot.connection?.destroy();
    }
    await this.#control.close();
  }

  #slot(number: number): Slot {
    const slot = this.#slots[number % SLOTS];
    if (slot === undefined) throw new RangeError(`there is no slot ${number}`);
    return slot;
  }

  /** Connects a slot that has no connection; what came on the way is part of the step. */
  async #ensureConnected(slot: Slot): Promise<Received[]> {
    if (slot.connection !== undefined && !slot.connection.ended) return [];
    const received: Received[] = [];
    if (slot.session !== undefined) {
      await this.#connect(slot, CONNECT_OWN);
      if (slot.session !== undefined && slot.connection?.ended === false) return received;
      received.push(...(slot.connection?.take() ?? []));
    }
    await this.#connect(slot, CONNECT_NEW);
    return received;
  }

  async #connect(slot: Slot, { session: which, timeOut, seen, withReadOnly, slot: number }: Omit<ConnectStep, 'kind'>): Promise<void> {
    const session = this.#sessionFor(which, slot, number);
    const connection = new RawConnection(this.#port);
    slot.connection = connection;
    slot.xid = 0;
    slot.proved = [];
    const { id, password } = session ?? { id: 0n, password: new Uint8Array(16) };
    const passwd = which === 'stranger' ? password.map((byte) => byte ^ 0xff) : password;
    const lastZxidSeen = this.#zxidFor(seen, slot);
    connection.send(
      encodeConnectRequest(
        { kind: 'connect', protocolVersion: 0, lastZxidSeen, timeOut, sessionId: id, passwd, readOnly: false },
        { withReadOnly },
      ),
      0,
      0,
    );
    await connection.until(() => connection.received.length > 0, ANSWER_TIMEOUT_MS);
    const answer = connection.received.find((message) => message.kind === 'connected');
    const accepted = answer?.kind === 'connected' && answer.timeOut !== 0 ? answer : undefined;
    if (accepted !== undefined) slot.session = this.#sessions.learn(accepted.sessionId, accepted.passwd);
    else if (which === 'own' && answer !== undefined) slot.session = undefined;
  }

  #sessionFor(which: ConnectStep['session'], slot: Slot, number: number): Session | undefined {
    switch (which) {
      case 'new':
        return undefined;
      case 'other':
        return this.#slot(number + 1).session ?? UNKNOWN;
      case 'closed':
        return slot.closed ?? UNKNOWN;
      case 'unknown':
        return UNKNOWN;
      default:
        return slot.session ?? UNKNOWN;
    }
  }

  #zxidFor(since: Since, slot: Slot): Zxid {
    if (since === 'nothing') return NO_ZXID;
    if (since === 'start') return this.#start;
    return since === 'now' ? slot.seen : ((this.#control.lastZxid + FUTURE) as Zxid);
  }

  async #ask(slot: Slot, step: RequestStep | BytesStep): Promise<void> {
    const { connection } = slot;
    if (connection === undefined || connection.ended) return;
    const replies = (): number => connection.received.filter(({ kind }) => kind === 'reply' || kind === 'opaque').length;
    const had = replies();
    const type = step.kind === 'request' ? step.request.type : step.type;
    const xid = xidOf(step) ?? ++slot.xid;
    if (step.kind === 'request') {
      const request = this.#requestOf(step, slot);
      connection.send(encodeClientMessage({ kind: 'request', xid, request }), xid, type);
    } else {
      const writer = new JuteWriter();
      writer.int(xid);
      writer.int(type);
      const header = writer.finish();
      connection.sendBody(Uint8Array.of(...header, ...step.body), xid, type);
    }
    if (!isSilent(step)) await connection.until(() => replies() > had, ANSWER_TIMEOUT_MS);
    const answer = connection.received.findLast(({ kind }) => kind === 'reply' || kind === 'opaque');
    if (answer === undefined || answer.kind === 'connected' || answer.kind === 'event' || answer.err !== 0) return;
    if (type === OpCode.closeSession) {
      await connection.until(() => false, ANSWER_TIMEOUT_MS);
      if (slot.session !== undefined) slot.session.closed = true;
      slot.closed = slot.session;
      slot.session = undefined;
    } else if (step.kind === 'request' && step.request.type === OpCode.auth && step.request.scheme === 'digest') {
      slot.proved.push(new TextDecoder().decode(step.request.auth));
    }
  }

  #requestOf({ request, since = 'now' }: RequestStep, slot: Slot): Request {
    const placed = this.#placeAll(request);
    return placed.type === OpCode.setWatches
      ? ({ ...placed, relativeZxid: this.#zxidFor(since, slot) } satisfies SetWatchesRequest)
      : placed;
  }

  #placed(path: string): string {
    if (path.startsWith('~')) return this.#folder + path.slice(1);
    return path.startsWith(`${QUOTA}~`) ? QUOTA + this.#folder + path.slice(QUOTA.length + 1) : path;
  }

  /** The request with every path of the folder put into it, whatever its fields are called. */
  #placeAll<T extends Request | MultiOp>(request: T): T {
    const place = (value: unknown): unknown => {
      if (typeof value === 'string') return this.#placed(value);
      if (Array.isArray(value)) return value.map(place);
      if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, place(item)]));
    };
    return place(request) as T;
  }

  async #observe(step: Step, before: RawConnection | undefined, taken: readonly Received[]): Promise<Observation> {
    const connections = this.#slots.flatMap(({ connection }, index) =>
      connection === undefined ? [] : [{ name: `slot ${index}`, connection }],
    );
    if (before !== undefined) connections.push({ name: `slot ${step.slot}, before`, connection: before });
    const entries = await Promise.all(
      connections.map(async ({ name, connection }): Promise<readonly [string, Seen]> => {
        const received = await quiesce(connection);
        const all = name === `slot ${step.slot}` ? [...taken, ...received] : received;
        return [name, { messages: all.map((message) => this.#messageOf(message)), ended: connection.ended }];
      }),
    );
    before?.destroy();
    for (const [index, slot] of this.#slots.entries()) {
      const seen = entries.find(([name]) => name === `slot ${index}`)?.[1].messages ?? [];
      // Replies that two servers may give another zxid (docs/compatibility.md) count for neither.
      for (const { kind, xid, err, zxid } of seen)
        if (kind === 'reply' && err === 'OK' && Number(xid) > 0 && Number(zxid) > slot.seen) slot.seen = Number(zxid) as Zxid;
      if (slot.connection?.ended === true) slot.connection = undefined;
    }
    return Object.fromEntries(entries.filter(([, { messages, ended }]) => messages.length > 0 || ended));
  }

  #messageOf(received: Received): Message {
    return messageOf(received, this.#names);
  }
}

const UNKNOWN: Session = { id: 0x7f00_1234_5678_9abcn, password: new Uint8Array(16).fill(1), closed: true };
const CONNECT_OWN = { slot: 0, session: 'own', timeOut: SESSION_TIMEOUT_MAX_MS, seen: 'nothing', withReadOnly: true } as const;
const CONNECT_NEW = { ...CONNECT_OWN, session: 'new' } as const;

/** The xid of a step that has one of its own; undefined for one that gets the next. */
function xidOf(step: RequestStep | BytesStep): number | undefined {
  if (step.kind === 'bytes' && step.xid !== undefined) return step.xid;
  const type = step.kind === 'request' ? step.request.type : step.type;
  if (type === OpCode.ping) return Xid.ping;
  if (type === OpCode.auth) return Xid.auth;
  return type === OpCode.setWatches || type === OpCode.setWatches2 ? Xid.setWatches : undefined;
}

/** Waits until the server has done everything that concerns this connection: behind a sync and a ping nothing is under way. */
async function quiesce(connection: RawConnection): Promise<Received[]> {
  const received = connection.take();
  if (!connection.ended) {
    connection.send(
      encodeClientMessage({ kind: 'request', xid: QUIESCE_XID, request: { type: OpCode.sync, path: '/' } }),
      QUIESCE_XID,
      OpCode.sync,
    );
    connection.send(encodeClientMessage({ kind: 'request', xid: Xid.ping, request: { type: OpCode.ping } }), Xid.ping, OpCode.ping);
    const isOurs = (message: Received): boolean => message.kind === 'reply' && (message.xid === QUIESCE_XID || message.xid === Xid.ping);
    await connection.until(() => connection.received.filter(isOurs).length === 2, ANSWER_TIMEOUT_MS);
    received.push(...connection.take().filter((message) => !isOurs(message)));
  }
  return received;
}
