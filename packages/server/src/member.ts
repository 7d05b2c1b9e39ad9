/**
 * One server above Zab: the state machine that all servers are, and what the leader alone does where this server leads (`ZooKeeperServer` with its request
 * processors).
 *
 * A request goes from a client (`ClientFront`) to the leader (`Leadership`), comes back as a delivered txn, is applied, fires the watches of this server and is
 * answered where it came from.
 */
import { assert, decodeTxn, OpCode, type Zxid } from '@quorate/protocol';
import { DataTree, type DataTreeOptions } from '@quorate/tree';
import type { Application, Run, Sid, Status } from '@quorate/zab';
import type { SessionEnd } from './audit.js';
import type { Broadcast } from './broadcast.js';
import { ClientFront, type ClientFrontOptions } from './client-front.js';
import type { ClientLink, ClientPort } from './client-port.js';
import { Database } from './database.js';
import { decodeForwardedRequest } from './forwarded-request.js';
import { LeaderLink } from './leader-link.js';
import { Leadership } from './leadership.js';
import { readPayload } from './payload.js';
import { joined } from './pieces.js';
import type { QuotaPolicy } from './quota.js';
import { ServerCounts } from './server-counts.js';
import { decodeSessionMessage, decodeTouches, encodeTouches } from './session-messages.js';
import { Syncs } from './syncs.js';
import { WatchEvents } from './watch-events.js';

export interface MemberOptions extends Omit<ClientFrontOptions, 'host' | 'leader' | 'syncs' | 'watches' | 'counts'> {
  readonly sid: Sid;
  readonly broadcast: Broadcast;
  readonly containerCheckIntervalMs: number;
  readonly containersPerMinuteMax: number;
  readonly tree: DataTreeOptions;
  readonly quotas: QuotaPolicy;
  readonly containerNeverUsedMaxMs: number;
  readonly onStatus: (status: Status) => void;
  readonly onSessionEnd?: ((end: SessionEnd) => void) | undefined;
}

export class Member implements Application {
  readonly counts = new ServerCounts();
  readonly #options: MemberOptions;
  #database: Database;
  #status: Status = { state: 'LOOKING', leader: undefined, epoch: 0, serving: false, votes: false };
  readonly #leader: LeaderLink;
  readonly #watches: WatchEvents;
  readonly #syncs: Syncs;
  readonly #front: ClientFront;

  constructor(options: MemberOptions) {
    this.#options = options;
    const { sid, broadcast, tree } = options;
    this.#database = new Database(new DataTree(tree));
    this.#watches = new WatchEvents(this.#database.tree, this.counts);
    this.#leader = new LeaderLink({ sid, broadcast, onMessage: (message) => this.#front.onMessage(message) });
    this.#syncs = new Syncs(broadcast);
    const parts = { host: this, leader: this.#leader, syncs: this.#syncs, watches: this.#watches, counts: this.counts };
    this.#front = new ClientFront({ ...options, ...parts });
  }

  get status(): Status {
    return this.#status;
  }

  get database(): Database {
    return this.#database;
  }

  get front(): ClientFront {
    return this.#front;
  }

  get watches(): WatchEvents {
    return this.#watches;
  }

  /** Defined while this server serves as the leader, and during its pauses. */
  get #leadership(): Leadership | undefined {
    return this.#leader.leadership;
  }

  accept(link: ClientLink): ClientPort {
    return this.#front.accept(link);
  }

  /** Serving leader: ends a session as if it had been silent for too long. */
  expireSession(session: bigint): boolean {
    return this.#leadership?.expire(session) ?? false;
  }

  /** Once in a tick. */
  tick(): void {
    // The leader needs no heartbeat to hear its own clients.
    this.#leadership?.touch(this.#front.takeTouched());
    this.#leadership?.tick();
    this.#front.tick();
  }

  /** Ends every connection at once; nothing is taken or answered any more. */
  stop(): void {
    this.#leader.leadership = undefined;
    this.#front.stop();
  }

  // Application: what Zab tells

  deliver(run: Run): void {
    this.#front.during(() => {
      for (let i = 0; i < run.payloads.length; i++) this.#deliverOne((run.zxid + i) as Zxid, run.payloads[i] as Uint8Array);
      this.#front.onRunApplied();
    });
  }

  snapshot(): Iterable<Uint8Array> {
    return this.#database.snapshot();
  }

  /**
   * Another state takes the place of this one, so what has changed for the watches here is not known: connections end, and their clients get it by
   * setWatches from where they go on.
   */
  restore(pieces: readonly Uint8Array[], zxid: Zxid): void {
    this.#front.during(() => {
      this.#database = Database.deserialize(joined(pieces), zxid, this.#options.tree);
      this.#watches.reset(this.#database.tree);
      this.#front.onRestored();
    });
  }

  onStatus(status: Status): void {
    const before = this.#status;
    this.#front.during(() => {
      this.#status = status;
      this.#front.onStatus(before, status);
      if (!status.serving) this.#pause(status);
      else if (!before.serving) this.#serve(status);
      // Otherwise its leader has begun another epoch, and this server has served all along.
    });
    this.#options.onStatus(status);
  }

  onRequest(from: Sid, payload: Uint8Array): void {
    const forwarded = readPayload(payload, decodeForwardedRequest);
    if (forwarded !== undefined) this.#front.during(() => this.#leadership?.take(from, forwarded));
  }

  onRevalidate(from: Sid, payload: Uint8Array): void {
    const message = readPayload(payload, decodeSessionMessage);
    if (message !== undefined) this.#front.during(() => this.#leader.onMessage(from, message));
  }

  heartbeat(): Uint8Array {
    return encodeTouches(this.#front.takeTouched());
  }

  onHeartbeat(_from: Sid, payload: Uint8Array): void {
    const touches = readPayload(payload, decodeTouches);
    if (touches !== undefined) this.#leadership?.touch(touches);
  }

  onSynced(tag: number): void {
    const waiting = this.#syncs.end(tag);
    if (waiting !== undefined) this.#front.during(() => this.#front.onSynced(waiting));
  }

  #deliverOne(zxid: Zxid, payload: Uint8Array): void {
    const { header, txn, digest } = this.#leadership?.takePrepared(zxid) ?? decodeTxn(payload);
    assert(header.zxid === zxid, 'a txn has the zxid under which it is delivered');
    this.#watches.begin(zxid, txn);
    const result = this.#database.apply(header, txn, this.#watches.onChange);
    this.#database.checkDigest(digest);
    this.#leadership?.onApplied(header, txn);
    this.#front.onApplied(header, txn, result);
    if (txn.type === OpCode.closeSession && this.#leadership !== undefined)
      this.#options.onSessionEnd?.({ session: header.clientId, zxid, ephemerals: txn.paths });
  }

  /** Requests are not taken for a while. */
  #pause({ state }: Status): void {
    if (state === 'LEADING') this.#leadership?.pause();
    else this.#leader.leadership = undefined;
  }

  #serve(status: Status): void {
    if (this.#leadership !== undefined) {
      this.#leadership.resume(status.epoch);
    } else {
      if (status.state === 'LEADING') this.#leader.leadership = this.#newLeadership(status.epoch);
      this.#front.onTermBegun();
    }
    this.#front.runAll();
  }

  #newLeadership(epoch: number): Leadership {
    const { broadcast, clock, tickTimeMs, containerCheckIntervalMs, containersPerMinuteMax, containerNeverUsedMaxMs, quotas } =
      this.#options;
    return new Leadership({
      epoch,
      broadcast,
      database: this.#database,
      counts: this.counts,
      clock,
      tickTimeMs,
      containerCheckIntervalMs,
      containersPerMinuteMax,
      containerNeverUsedMaxMs,
      quotas,
      tell: (to, message) => this.#leader.tell(to, message),
    });
  }
}
