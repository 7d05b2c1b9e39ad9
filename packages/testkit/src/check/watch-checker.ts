/**
 * Watches (reliability.md 2.2): each fires once, for the first change after it was set, with its type and its path, before anything that shows the
 * change; none fires without one; and on the next connection each is set again, or fires for what has happened meanwhile.
 */
import { ErrorCode, type EventMessage, EventType, formatZxid, OpCode, type SetWatchesRequest } from '@quorate/protocol';
import { type ClientHistory, nameOf, type SentRequest, type SessionHistory, type WireConnection } from './client-history.js';
import type { Trigger, TriggerType } from './znode-history.js';

/** By path: the index in G after which a change fires the watch. */
type Table = Map<string, number>;

/** The watches of one session, as its client knows of them. */
class SessionWatches {
  readonly data: Table = new Map();
  readonly exist: Table = new Map();
  readonly child: Table = new Map();
  /** The connection on which they are armed. */
  connection: WireConnection | undefined;
  /** All that had fired up to here has been told. */
  checked = 0;
}

/** Watches that are being set again: what they were, and which of them have fired meanwhile. */
interface Rearming {
  readonly request: SetWatchesRequest;
  readonly events: EventMessage[];
}

const TYPES: ReadonlyMap<number, TriggerType> = new Map([
  [EventType.nodeCreated, 'created'],
  [EventType.nodeDeleted, 'deleted'],
  [EventType.nodeDataChanged, 'dataChanged'],
  [EventType.nodeChildrenChanged, 'childrenChanged'],
]);

export class WatchChecker {
  readonly #history: ClientHistory;
  readonly #sessions = new Map<SessionHistory, SessionWatches>();
  readonly #rearming = new Map<WireConnection, Rearming[]>();

  constructor(history: ClientHistory) {
    this.#history = history;
  }

  /** A client leaves its watches again. Every watch that it has must be named. */
  onSetWatches(connection: WireConnection, request: SetWatchesRequest): void {
    const pending = this.#rearming.get(connection) ?? [];
    pending.push({ request, events: [] });
    this.#rearming.set(connection, pending);
  }

  /** The first request of the client's own, or the first answer: by now all watches are named. */
  onPrimed(connection: WireConnection): void {
    const watches = this.#of(connection);
    if (watches === undefined || watches.connection === connection) return;
    watches.connection = connection;
    const requests = (this.#rearming.get(connection) ?? []).map(({ request }) => request);
    const named = (kind: 'dataWatches' | 'existWatches' | 'childWatches', path: string): boolean =>
      requests.some((request) => request[kind].includes(path));
    for (const path of watches.data.keys()) if (!named('dataWatches', path)) this.#lost(connection, 'data', path);
    for (const path of watches.exist.keys()) if (!named('existWatches', path)) this.#lost(connection, 'exist', path);
    for (const path of watches.child.keys()) if (!named('childWatches', path)) this.#lost(connection, 'child', path);
  }

  /** A read is answered: where it left a watch, that is armed from here on. */
  onRead({ connection, request, reply }: SentRequest, index: number): void {
    if (!('watch' in request) || !request.watch || reply === undefined) return;
    const watches = this.#of(connection);
    if (watches === undefined) return;
    if (request.type === OpCode.exists) {
      if (reply.err === ErrorCode.OK) arm(watches.data, request.path, index);
      else if (reply.err === ErrorCode.NO_NODE) arm(watches.exist, request.path, index);
    } else if (reply.err === ErrorCode.OK) {
      arm(request.type === OpCode.getData ? watches.data : watches.child, request.path, index);
    }
  }

  /** setWatches is answered by a server that shows `index`: each watch has fired by now, or is armed from here on. */
  onSetWatchesReply(connection: WireConnection, index: number): void {
    this.onPrimed(connection);
    const rearming = this.#rearming.get(connection)?.shift();
    const watches = this.#of(connection);
    if (rearming === undefined || watches === undefined) return;
    const { request, events } = rearming;
    const since = request.relativeZxid;
    const { znodes } = this.#history;
    for (const path of request.dataWatches) {
      const znode = znodes.at(path, index);
      const expected = znode === undefined ? 'deleted' : znode.mzxid > since ? 'dataChanged' : undefined;
      this.#rearm(connection, { table: watches.data, path, index, expected, events });
    }
    for (const path of request.existWatches)
      this.#rearm(connection, {
        table: watches.exist,
        path,
        index,
        expected: znodes.at(path, index) === undefined ? undefined : 'created',
        events,
      });
    for (const path of request.childWatches) {
      const znode = znodes.at(path, index);
      const expected = znode === undefined ? 'deleted' : znode.pzxid > since ? 'childrenChanged' : undefined;
      this.#rearm(connection, { table: watches.child, path, index, expected, events });
    }
    for (const event of events)
      this.#fail(
        'WatchNoPhantom',
        `${nameOf(connection.session)}: setWatches tells ${TYPES.get(event.type)} of ${event.path}, for which there is no reason`,
      );
    watches.checked = index;
  }

  #rearm(
    connection: WireConnection,
    watch: {
      readonly table: Table;
      readonly path: string;
      readonly index: number;
      readonly expected: TriggerType | undefined;
      readonly events: EventMessage[];
    },
  ): void {
    const { table, path, index, expected, events } = watch;
    table.delete(path);
    if (expected === undefined) {
      this.#history.sometimes.note('watch armed again on another connection');
      table.set(path, index);
      return;
    }
    this.#history.sometimes.note('watch fired by setWatches');
    const place = events.findIndex((event) => event.path === path && TYPES.get(event.type) === expected);
    if (place !== -1) events.splice(place, 1);
    else this.#fail('WatchExactlyOnce', `${nameOf(connection.session)}: setWatches does not tell ${expected} of ${path}`);
  }

  onEvent(connection: WireConnection, event: EventMessage): void {
    const rearming = this.#rearming.get(connection);
    if (rearming !== undefined && rearming.length > 0) {
      // The server answers in order, so what comes before the answer to setWatches is of setWatches.
      (rearming[0] as Rearming).events.push(event);
      return;
    }
    const watches = this.#of(connection);
    const type = TYPES.get(event.type);
    if (watches === undefined || type === undefined) return;
    const fired = [
      ...(type === 'childrenChanged' ? [] : [this.#due(watches.data, 'data', event.path), this.#due(watches.exist, 'data', event.path)]),
      ...(type === 'childrenChanged' || type === 'deleted' ? [this.#due(watches.child, 'child', event.path)] : []),
    ].filter((trigger) => trigger !== undefined);
    const right = fired.find((trigger) => trigger.type === type && this.#zxidAt(trigger.index) === event.zxid);
    if (right === undefined) {
      const due = fired.map((trigger) => `${trigger.type} at ${formatZxid(this.#zxidAt(trigger.index) as never)}`).join(', ');
      this.#fail(
        'WatchNoPhantom',
        `${nameOf(connection.session)} is told ${type} of ${event.path} at ${formatZxid(event.zxid)}; due is ${due === '' ? 'nothing' : due}`,
      );
      return;
    }
    this.#history.sometimes.note('watch fired');
    takeFired(watches, event);
  }

  /** An answer shows the state at `index`: every watch that fired by then must have been told. */
  onShown(connection: WireConnection, index: number): void {
    const watches = this.#of(connection);
    if (watches === undefined || watches.connection !== connection || index <= watches.checked) return;
    if ((this.#rearming.get(connection)?.length ?? 0) > 0) return;
    watches.checked = index;
    for (const path of watches.data.keys()) this.#checkTold(connection, this.#due(watches.data, 'data', path), path, index);
    for (const path of watches.exist.keys()) this.#checkTold(connection, this.#due(watches.exist, 'data', path), path, index);
    for (const path of watches.child.keys()) this.#checkTold(connection, this.#due(watches.child, 'child', path), path, index);
  }

  /** What fired while watches were being set again has fired, though the answer to setWatches never came. */
  onLost(connection: WireConnection): void {
    const watches = this.#of(connection);
    for (const { events } of this.#rearming.get(connection) ?? [])
      for (const event of events) if (watches !== undefined) takeFired(watches, event);
    this.#rearming.delete(connection);
  }

  /** How many watches the client of a session knows of. */
  count(session: SessionHistory): number {
    const watches = this.#sessions.get(session);
    return watches === undefined ? 0 : watches.data.size + watches.exist.size + watches.child.size;
  }

  #checkTold(connection: WireConnection, trigger: Trigger | undefined, path: string, index: number): void {
    if (trigger === undefined || trigger.index > index) return;
    this.#fail(
      'WatchOrder',
      `${nameOf(connection.session)} is shown entry ${index} of G, and was not told ${trigger.type} of ${path} at ${formatZxid(this.#zxidAt(trigger.index) as never)}`,
    );
  }

  /** What fires this watch, if it is armed. */
  #due(table: Table, kind: 'data' | 'child', path: string): Trigger | undefined {
    const armed = table.get(path);
    if (armed === undefined) return undefined;
    const { znodes } = this.#history;
    return kind === 'data' ? znodes.dataTriggerAfter(path, armed) : znodes.childTriggerAfter(path, armed);
  }

  #zxidAt(index: number): number {
    return this.#history.witness.committed[index]?.zxid ?? 0;
  }

  #of(connection: WireConnection): SessionWatches | undefined {
    const { session } = connection;
    if (session === undefined) return undefined;
    let watches = this.#sessions.get(session);
    if (watches === undefined) {
      watches = new SessionWatches();
      watches.connection = connection;
      this.#sessions.set(session, watches);
    }
    return watches;
  }

  #lost(connection: WireConnection, kind: string, path: string): void {
    this.#fail('WatchExactlyOnce', `${nameOf(connection.session)}: the client does not set its ${kind} watch of ${path} again`);
  }

  #fail(property: string, message: string): void {
    this.#history.verdict.fail(property, message);
  }
}

/** A watch that is there already stays as it is. */
function arm(table: Table, path: string, index: number): void {
  if (!table.has(path)) table.set(path, index);
}

/** An event takes out every watch that it fires, in the client as on the server. */
function takeFired(watches: SessionWatches, event: EventMessage): void {
  const type = TYPES.get(event.type);
  if (type !== 'childrenChanged') {
    watches.data.delete(event.path);
    watches.exist.delete(event.path);
  }
  if (type === 'childrenChanged' || type === 'deleted') watches.child.delete(event.path);
}
