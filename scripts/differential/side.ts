/** One of the two that a history runs against, a server or an ensemble: its slots, their sessions and connections, and what is seen of each step. */
import {
  CreateMode,
  ErrorCode,
  encodeClientMessage,
  encodeConnectRequest,
  JuteWriter,
  type MultiOp,
  NO_ZXID,
  OPEN_ACL_UNSAFE,
  OpCode,
  type Request,
  Xid,
  type Zxid,
} from '@quorate/protocol';
import { Control } from './control.ts';
import { type BytesStep, type ConnectStep, type ExpireStep, isSilent, type RequestStep, type Since, SLOTS, type Step } from './history.ts';
import { type Message, messageOf, type Names, type Observation, type Seen } from './observation.ts';
import { RawConnection, type Received } from './raw-connection.ts';
import { type Session, Sessions } from './sessions.ts';
import { SESSION_TIMEOUT_MAX_MS } from './settings.ts';
import type { Way } from './way.ts';

/** After so long without an answer there is none. */
const ANSWER_TIMEOUT_MS = 15_000;
/** Above the xids of steps: of what is sent to be sure that nothing is under way. */
const QUIESCE_XID = 1_000_000;
/** How far a client is ahead that has seen the future. */
const FUTURE = 0x10_0000;
/** After so long a session has expired that asked for the shortest timeout, unless another one is counted. */
const EXPIRY_PATIENCE_MS = 1_000;
const EXPIRY_TRIES_MAX = 30;
/** Under it a client leaves the ephemeral by whose end the end of its session is known. */
const MARK_XID = QUIESCE_XID + 1;

/** A history has a folder here as well. */
const QUOTA = '/zookeeper/quota';

interface Slot {
  /** Where it connects. */
  server: number;
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
  readonly #ways: readonly Way[];
  readonly #folder: string;
  /** One for each server. The first does what is to be done. */
  readonly #controls: readonly Control[];
  readonly #control: Control;
  readonly #sessions = new Sessions();
  readonly #slots: Slot[] = [];
  readonly #names: Names;
  /** The zxid before the first step. */
  readonly #start: Zxid;

  private constructor(ways: readonly Way[], folder: string, controls: readonly Control[], start: Zxid) {
    this.#ways = ways;
    this.#folder = folder;
    this.#controls = controls;
    this.#control = controls[0] as Control;
    this.#start = start;
    const sessions = this.#sessions;
    this.#names = { folder, session: (id) => sessions.nameOf(id), password: (id, password) => sessions.nameOfPassword(id, password) };
    for (let server = 0; server < SLOTS; server++) this.#slots.push(emptySlot(server));
  }

  /** A side with an empty folder of its own, which must not be there yet. */
  static async open(ways: readonly Way[], folder: string): Promise<Side> {
    // One after the other, so that their sessions are made by txns of the same order at both sides.
    const controls: Control[] = [];
    for (const way of ways) controls.push(await Control.open(way));
    const start = await (controls[0] as Control).create(folder);
    await Promise.all(controls.map((control) => control.sync()));
    return new Side(ways, folder, controls, start);
  }

  /** Does a step, waits until nothing is under way, and tells what was seen. */
  async run(step: Step): Promise<Observation> {
    const slot = this.#slot(step.slot);
    let before: RawConnection | undefined;
    const taken: Received[] = [];
    switch (step.kind) {
      case 'drop':
        this.reset(step.slot);
        break;
      case 'connect':
        before = slot.connection;
        await this.#connect(slot, step);
        break;
      case 'expire':
        taken.push(...(await this.#ensureConnected(slot)));
        before = slot.connection;
        taken.push(...(await this.#expire(slot, step)));
        break;
      case 'pipeline': {
        taken.push(...(await this.#ensureConnected(slot)));
        await this.#ask(
          slot,
          step.requests.map((request) => ({ kind: 'request', slot: step.slot, request })),
        );
        break;
      }
      default:
        taken.push(...(await this.#ensureConnected(slot)));
        await this.#ask(slot, [step]);
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
    await this.#syncAll();
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
      const slot: Slot = { ...emptySlot(0), session };
      await this.#connect(slot, { ...CONNECT_OWN, server: 0 });
      await this.#ask(slot, [{ kind: 'request', slot: 0, request: { type: OpCode.closeSession } }]);
      slot.connection?.destroy();
    }
    for (const control of this.#controls) await control.close();
  }

  /** Every server has what was committed until now. With one, the connections of the slots see to it. */
  async #syncAll(): Promise<void> {
    if (this.#controls.length > 1) await Promise.all(this.#controls.map((control) => control.sync()));
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
      await this.#connect(slot, { ...CONNECT_OWN, server: slot.server });
      if (slot.session !== undefined && slot.connection?.ended === false) return received;
      received.push(...(slot.connection?.take() ?? []));
    }
    await this.#connect(slot, { ...CONNECT_OWN, session: 'new', server: slot.server });
    return received;
  }

  async #connect(slot: Slot, step: Omit<ConnectStep, 'kind'>): Promise<void> {
    const { session: which, timeOut, seen, withReadOnly, slot: number, server } = step;
    const session = this.#sessionFor(which, slot, number);
    const connection = new RawConnection(this.#ways[server % this.#ways.length] as Way);
    slot.server = server;
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

  /**
   * Lets the slot's session expire, and gives what its last connection got. An ephemeral of the session's own, beside the folder, is deleted with it: that both have
   * done that is how both are known to be at the same place.
   */
  async #expire(slot: Slot, { timeOut }: ExpireStep): Promise<Received[]> {
    const { connection, session } = slot;
    if (connection === undefined || connection.ended || session === undefined) return [];
    const path = `${this.#folder.slice(0, this.#folder.lastIndexOf('/'))}/mark`;
    await this.#control.watch(path);
    const mark = { type: OpCode.create, path, data: null, acl: OPEN_ACL_UNSAFE, flags: CreateMode.EPHEMERAL } as const;
    connection.send(encodeClientMessage({ kind: 'request', xid: MARK_XID, request: mark }), MARK_XID, mark.type);
    await connection.until(() => connection.has(MARK_XID), ANSWER_TIMEOUT_MS);
    if (connection.pick(MARK_XID)?.err !== ErrorCode.OK) return [];
    const received = await this.#leave(slot, timeOut);
    // A follower of theirs may yet tell its leader of the timeout that the session had before. Then it is asked for once more.
    for (let tries = 1; !(await this.#control.gone(path, EXPIRY_PATIENCE_MS)); tries++) {
      if (tries === EXPIRY_TRIES_MAX) throw new Error(`a server has never deleted ${path}`);
      slot.session = session;
      await this.#leave(slot, timeOut);
    }
    session.closed = true;
    slot.closed = session;
    slot.session = undefined;
    return received;
  }

  /** The slot's client asks for a timeout, sees it at work, and is never heard again; gives the answer to its handshake. */
  async #leave(slot: Slot, timeOut: number): Promise<Received[]> {
    await this.#connect(slot, { ...CONNECT_OWN, timeOut, server: slot.server });
    const { connection } = slot;
    if (connection === undefined) return [];
    const received = connection.take();
    // A follower of theirs tells its leader the timeout of the connection on which a session was heard last, not of its last handshake.
    await quiesce(connection);
    connection.destroy();
    slot.connection = undefined;
    return received;
  }

  /** Sends requests together and waits for their replies; none but the last changes what a slot is. */
  async #ask(slot: Slot, steps: readonly (RequestStep | BytesStep)[]): Promise<void> {
    const { connection } = slot;
    const last = steps.at(-1);
    if (connection === undefined || connection.ended || last === undefined) return;
    const replies = (): number => connection.received.filter(({ kind }) => kind === 'reply' || kind === 'opaque').length;
    const expected = replies() + steps.length;
    for (const step of steps) this.#send(slot, connection, step);
    if (!isSilent(last)) await connection.until(() => replies() >= expected, ANSWER_TIMEOUT_MS);
    const answer = connection.received.findLast(({ kind }) => kind === 'reply' || kind === 'opaque');
    if (answer === undefined || answer.kind === 'connected' || answer.kind === 'event' || answer.err !== 0) return;
    if (typeOf(last) === OpCode.closeSession) {
      await connection.until(() => false, ANSWER_TIMEOUT_MS);
      if (slot.session !== undefined) slot.session.closed = true;
      slot.closed = slot.session;
      slot.session = undefined;
    } else if (last.kind === 'request' && last.request.type === OpCode.auth && last.request.scheme === 'digest') {
      slot.proved.push(new TextDecoder().decode(last.request.auth));
    }
  }

  #send(slot: Slot, connection: RawConnection, step: RequestStep | BytesStep): void {
    const type = typeOf(step);
    const xid = xidOf(step) ?? ++slot.xid;
    if (step.kind === 'request') {
      const request = this.#requestOf(step, slot);
      connection.send(encodeClientMessage({ kind: 'request', xid, request }), xid, type);
      return;
    }
    const writer = new JuteWriter();
    writer.int(xid);
    writer.int(type);
    const header = writer.finish();
    connection.sendBody(Uint8Array.of(...header, ...step.body), xid, type);
  }

  #requestOf({ request, since = 'now' }: RequestStep, slot: Slot): Request {
    const placed = this.#placeAll(request);
    return 'relativeZxid' in placed ? { ...placed, relativeZxid: this.#zxidFor(since, slot) } : placed;
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
    await this.#syncAll();
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
    // A session that has expired has no connection any more.
    if (step.kind === 'expire' && this.#slot(step.slot).connection === undefined)
      entries.push([`slot ${step.slot}`, { messages: taken.map((message) => this.#messageOf(message)), ended: false }]);
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

function emptySlot(server: number): Slot {
  return { server, connection: undefined, session: undefined, closed: undefined, xid: 0, seen: NO_ZXID, proved: [] };
}

function typeOf(step: RequestStep | BytesStep): number {
  return step.kind === 'request' ? step.request.type : step.type;
}

/** The xid of a step that has one of its own; undefined for one that gets the next. */
function xidOf(step: RequestStep | BytesStep): number | undefined {
  if (step.kind === 'bytes' && step.xid !== undefined) return step.xid;
  const type = typeOf(step);
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
