/**
 * Watches (reliability.md 2.2): each fires once, for the first change after it was set, with its type and its path, before anything that shows the
 * change; none fires without one; and on the next connection each is set again, or fires for what has happened meanwhile.
 *
 * A watch that stays is told of every change after it was set, in the order of G, each once on a connection and before anything that shows it. On the next
 * connection it is set again, and told nothing of what has happened meanwhile.
 *
 * Of a znode that a watcher may not read when it changes it is told nothing, and a watch that fires once has fired all the same (CVE-2024-23944): its client
 * goes on knowing of a watch that its server has not.
 */
import {
  type Acl,
  AddWatchMode,
  type AddWatchRequest,
  ErrorCode,
  type EventMessage,
  formatZxid,
  OpCode,
  Permission,
  type SetWatches2Request,
  type SetWatchesRequest,
  type WatcherRequest,
} from '@quorate/protocol';
import { mayDo } from './acl-model.js';
import { type ClientHistory, nameOf, type SentRequest, type SessionHistory, type WireConnection } from './client-history.js';
import type { ProvedIds } from './identities.js';
import { arm, SessionWatches, SPENT, type Table, TRIGGER_TYPES, takeFired } from './session-watches.js';
import type { DueEvent } from './standing-watches.js';
import type { Trigger, TriggerType, Znode } from './znode-history.js';

/** Watches that are being set again: what they were, for whom, and which of them have fired meanwhile. */
interface Rearming {
  readonly request: SetWatchesRequest | SetWatches2Request;
  readonly proved: ProvedIds;
  readonly events: EventMessage[];
}

export class WatchChecker {
  readonly #history: ClientHistory;
  readonly #sessions = new Map<SessionHistory, SessionWatches>();
  readonly #rearming = new Map<WireConnection, Rearming[]>();

  constructor(history: ClientHistory) {
    this.#history = history;
  }

  /** A client leaves its watches again. Every watch that it has must be named. */
  onSetWatches(connection: WireConnection, request: SetWatchesRequest | SetWatches2Request): void {
    const pending = this.#rearming.get(connection) ?? [];
    pending.push({ request, proved: connection.claimed, events: [] });
    this.#rearming.set(connection, pending);
  }

  /** The first request of the client's own, or the first answer: by now all watches are named. */
  onPrimed(connection: WireConnection): void {
    const watches = this.#of(connection);
    if (watches === undefined || watches.connection === connection) return;
    const { data, exist, child, standing } = watches;
    const takenBack = watches.connection === undefined ? [] : removalsUnanswered(watches.connection);
    watches.connection = connection;
    const requests = (this.#rearming.get(connection) ?? []).map(({ request }) => request);
    const kinds = [
      [data, 'data', (request) => request.dataWatches],
      [exist, 'exist', (request) => request.existWatches],
      [child, 'child', (request) => request.childWatches],
      [standing.persistent, 'persistent', (request) => ('persistentWatches' in request ? request.persistentWatches : [])],
      [standing.recursive, 'recursive', (request) => ('persistentRecursiveWatches' in request ? request.persistentRecursiveWatches : [])],
    ] as const satisfies readonly (readonly [Table, string, (request: Rearming['request']) => readonly string[]])[];
    for (const [table, kind, pathsOf] of kinds) {
      for (const path of [...table.keys()]) {
        if (requests.some((request) => pathsOf(request).includes(path))) continue;
        // What the client has taken back it need not set again, though it was not told that it is gone.
        if (takenBack.some((one) => one.path === path && watches.meantBy(one.watcherType).includes(table))) table.delete(path);
        else this.#lost(connection, kind, path);
      }
    }
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

  /** A watch that stays is set from here on. */
  onAddWatch(connection: WireConnection, { path, mode }: AddWatchRequest, err: number, index: number): void {
    if (err !== ErrorCode.OK) this.#fail('WatchRequest', `${nameOf(connection.session)}: addWatch of ${path} is answered ${err}`);
    else this.#of(connection)?.standing.arm(mode === AddWatchMode.persistentRecursive, path, index);
  }

  /** Watches are asked for, or taken back; told apart by what the client knows, which is all that the server has when it answers. */
  onWatcher(connection: WireConnection, { type, path, watcherType }: WatcherRequest, err: number): void {
    const watches = this.#of(connection);
    if (watches === undefined) return;
    const tables = watches.meantBy(watcherType).filter((table) => table.has(path));
    const isSet = tables.some((table) => table.get(path) !== SPENT);
    const expected = isSet ? ErrorCode.OK : ErrorCode.NO_WATCHER;
    if (err !== expected)
      this.#fail(
        'WatchRequest',
        `${nameOf(connection.session)}: ${OpName[type]} of ${path}, type ${watcherType}, is answered ${err} instead of ${expected}`,
      );
    if (type === OpCode.checkWatches) return;
    if (isSet) this.#history.sometimes.note('watch taken back');
    for (const table of tables) table.delete(path);
  }

  /** setWatches is answered by a server that shows `index`: each watch has fired by now, or is armed from here on. */
  onSetWatchesReply(connection: WireConnection, index: number): void {
    this.onPrimed(connection);
    const rearming = this.#rearming.get(connection)?.shift();
    const watches = this.#of(connection);
    if (rearming === undefined || watches === undefined) return;
    const { request, proved, events } = rearming;
    const since = request.relativeZxid;
    const { znodes } = this.#history;
    const rearmAll = (table: Table, paths: readonly string[], missed: (znode: Znode | undefined) => TriggerType | undefined): void => {
      for (const path of paths) {
        const znode = znodes.at(path, index);
        const isWithheld = znode !== undefined && !mayDo(znode.acl, Permission.READ, proved);
        this.#rearm(connection, { table, path, index, expected: missed(znode), isWithheld, events });
      }
    };
    rearmAll(watches.data, request.dataWatches, (znode) =>
      znode === undefined ? 'deleted' : znode.mzxid > since ? 'dataChanged' : undefined,
    );
    rearmAll(watches.exist, request.existWatches, (znode) => (znode === undefined ? undefined : 'created'));
    rearmAll(watches.child, request.childWatches, (znode) =>
      znode === undefined ? 'deleted' : znode.pzxid > since ? 'childrenChanged' : undefined,
    );
    for (const event of events)
      this.#fail(
        'WatchNoPhantom',
        `${nameOf(connection.session)}: setWatches tells ${TRIGGER_TYPES.get(event.type)} of ${event.path}, for which there is no reason`,
      );
    watches.checked = index;
    if (request.type === OpCode.setWatches) return;
    const { persistent, recursive } = watches.standing;
    watches.standing.skipTo(index);
    for (const path of request.persistentWatches) persistent.set(path, index);
    for (const path of request.persistentRecursiveWatches) recursive.set(path, index);
    this.#history.sometimes.note('watch that stays armed again on another connection');
  }

  #rearm(
    connection: WireConnection,
    watch: {
      readonly table: Table;
      readonly path: string;
      readonly index: number;
      readonly expected: TriggerType | undefined;
      readonly isWithheld: boolean;
      readonly events: EventMessage[];
    },
  ): void {
    const { table, path, index, expected, isWithheld, events } = watch;
    table.delete(path);
    if (expected === undefined) {
      this.#history.sometimes.note('watch armed again on another connection');
      table.set(path, index);
      return;
    }
    if (isWithheld) {
      this.#onWithheld();
      table.set(path, SPENT);
      return;
    }
    this.#history.sometimes.note('watch fired by setWatches');
    const place = events.findIndex((event) => event.path === path && TRIGGER_TYPES.get(event.type) === expected);
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
    const type = TRIGGER_TYPES.get(event.type);
    if (watches === undefined || type === undefined) return;
    const due = this.#takeStanding(connection, watches, event, type);
    const fired = [
      ...(type === 'childrenChanged' ? [] : [this.#due(watches.data, 'data', event.path), this.#due(watches.exist, 'data', event.path)]),
      ...(type === 'childrenChanged' || type === 'deleted' ? [this.#due(watches.child, 'child', event.path)] : []),
    ].filter((trigger) => trigger !== undefined);
    const right = fired.find((trigger) => trigger.type === type && this.#zxidAt(trigger.index) === event.zxid);
    if (right !== undefined && mayRead(connection, right.acl) === false) return this.#leaks(connection, event);
    if (right === undefined && due === undefined) {
      const told = this.#history.znodes.triggersAt(event.path, this.#indexOf(event)).find((trigger) => trigger.type === type);
      if (told !== undefined && mayRead(connection, told.acl) === false) return this.#leaks(connection, event);
      const standing = this.#standingDue(connection, watches, this.#indexOf(event));
      const others = [...fired, ...(standing === undefined ? [] : [standing])]
        .map((trigger) => `${trigger.type} at ${formatZxid(this.#zxidAt(trigger.index) as never)}`)
        .join(', ');
      this.#fail(
        'WatchNoPhantom',
        `${nameOf(connection.session)} is told ${type} of ${event.path} at ${formatZxid(event.zxid)}; due is ${others === '' ? 'nothing' : others}`,
      );
      return;
    }
    if (right !== undefined) this.#history.sometimes.note('watch fired');
    if (due !== undefined) {
      this.#history.sometimes.note('watch that stays told');
      if (watches.standing.matching(due) + (right === undefined ? 0 : 1) > 1) this.#history.sometimes.note('one event for several watches');
    }
    takeFired(watches, event);
  }

  /** The event, if it is what watches that stay are due to be told next. */
  #takeStanding(connection: WireConnection, watches: SessionWatches, event: EventMessage, type: TriggerType): DueEvent | undefined {
    const index = this.#indexOf(event);
    const { standing } = watches;
    let due = this.#standingDue(connection, watches, index);
    for (; due?.isSure === false && (due.index < index || due.type !== type || due.path !== event.path); ) {
      standing.take();
      due = this.#standingDue(connection, watches, index);
    }
    if (due === undefined) return undefined;
    if (due.index < index) {
      this.#fail(
        'WatchOrder',
        `${nameOf(connection.session)} is told ${type} of ${event.path} at ${formatZxid(event.zxid)} before ${due.type} of ${due.path} at ${formatZxid(this.#zxidAt(due.index) as never)}`,
      );
      standing.skipTo(index - 1);
      return undefined;
    }
    if (due.type !== type || due.path !== event.path) return undefined;
    standing.take();
    return due;
  }

  /** An answer shows the state at `index`: every watch that fired by then must have been told. */
  onShown(connection: WireConnection, index: number): void {
    const watches = this.#of(connection);
    if (watches === undefined || watches.connection !== connection || index <= watches.checked) return;
    if ((this.#rearming.get(connection)?.length ?? 0) > 0) return;
    watches.checked = index;
    this.#checkAllTold(connection, { table: watches.data, kind: 'data', index });
    this.#checkAllTold(connection, { table: watches.exist, kind: 'data', index });
    this.#checkAllTold(connection, { table: watches.child, kind: 'child', index });
    let due = this.#standingDue(connection, watches, index);
    for (; due?.isSure === false; due = this.#standingDue(connection, watches, index)) watches.standing.take();
    if (due !== undefined) this.#notTold(connection, due, due.path, index);
    watches.standing.skipTo(index);
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
    return watches === undefined ? 0 : watches.data.size + watches.exist.size + watches.child.size + watches.standing.size;
  }

  /** What has fired by now was told, or its watcher may not read it and the watch is gone. */
  #checkAllTold(
    connection: WireConnection,
    watch: { readonly table: Table; readonly kind: 'data' | 'child'; readonly index: number },
  ): void {
    const { table, kind, index } = watch;
    for (const path of table.keys()) {
      const trigger = this.#due(table, kind, path);
      if (trigger === undefined || trigger.index > index) continue;
      const readable = mayRead(connection, trigger.acl);
      if (readable === true) this.#notTold(connection, trigger, path, index);
      if (readable === false) this.#onWithheld();
      table.set(path, SPENT);
    }
  }

  #standingDue(connection: WireConnection, { standing }: SessionWatches, index: number): DueEvent | undefined {
    return standing.dueUpTo(
      index,
      (acl) => mayRead(connection, acl),
      () => this.#onWithheld(),
    );
  }

  #onWithheld(): void {
    this.#history.sometimes.note('event withheld from who may not read');
  }

  #leaks(connection: WireConnection, event: EventMessage): void {
    this.#fail(
      'WatchAcl',
      `${nameOf(connection.session)} is told ${TRIGGER_TYPES.get(event.type)} of ${event.path} at ${formatZxid(event.zxid)}, and may not read it`,
    );
  }

  #notTold(connection: WireConnection, trigger: Trigger, path: string, index: number): void {
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

  /** Where in G the txn of an event stands; −1 where it is not committed. */
  #indexOf({ zxid }: EventMessage): number {
    return this.#history.witness.find(zxid)?.committedIndex ?? -1;
  }

  #zxidAt(index: number): number {
    return this.#history.witness.committed[index]?.zxid ?? 0;
  }

  #of(connection: WireConnection): SessionWatches | undefined {
    const { session } = connection;
    if (session === undefined) return undefined;
    let watches = this.#sessions.get(session);
    if (watches === undefined) {
      watches = new SessionWatches(this.#history.znodes);
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

const OpName = { [OpCode.checkWatches]: 'checkWatches', [OpCode.removeWatches]: 'removeWatches' } as const;

/** What a client had asked to be taken back when its connection ended. */
function removalsUnanswered({ unanswered }: WireConnection): WatcherRequest[] {
  return unanswered.flatMap(({ request }) => (request.type === OpCode.removeWatches ? [request as WatcherRequest] : []));
}

/** Whether its server may tell a client of a znode; undefined where the proof that decides is on its way. */
function mayRead({ proved, claimed }: WireConnection, acl: readonly Acl[]): boolean | undefined {
  if (mayDo(acl, Permission.READ, proved)) return true;
  return mayDo(acl, Permission.READ, claimed) ? undefined : false;
}
