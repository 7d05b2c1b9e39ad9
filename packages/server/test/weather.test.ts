/**
 * Clients that work through crashes, restarts, partitions and moves; what they are told is held against the one history that all servers have.
 */
import { SeededRandom } from '@quorate/ports';
import { decodeTxn, ErrorCode, NO_ZXID, OpCode, type Txn, type TxnHeader, type Zxid } from '@quorate/protocol';
import { sessionPassword } from '@quorate/session';
import { describe, expect, it } from 'vitest';
import type { ServerOptions } from '../src/index.ts';
import { RecordedClient } from './support/recorded-client.ts';
import { TestEnsemble } from './support/test-ensemble.ts';

interface Entry {
  readonly header: TxnHeader;
  readonly txn: Txn;
}

/** A client that goes on at another server when its connection ends. */
class Wanderer {
  connection: RecordedClient | undefined;
  sessionId = 0n;
  lastZxid = NO_ZXID;
  xid = 0;
  /** What was written and in which connection's order it must appear: xids ascend within a session. */
  readonly answered: { session: bigint; xid: number; zxid: Zxid; err: number }[] = [];
  #read = 0;
  #isShared = false;
  /** Connections to servers that only read. */
  readOnly = 0;

  /** Takes over what has come, and checks that replies come in order and that zxids do not go back. */
  collect(): void {
    const { connection } = this;
    if (connection === undefined) return;
    for (; this.#read < connection.messages.length; this.#read++) {
      const message = connection.messages[this.#read]!;
      if (message.kind === 'connected') {
        this.sessionId = message.timeOut === 0 ? 0n : message.sessionId;
        this.#isShared ||= !message.readOnly;
        if (message.readOnly) this.readOnly++;
        if (message.timeOut === 0) this.#isShared = false;
      } else if (message.kind === 'reply') {
        expect(message.zxid, 'zxids do not go back').toBeGreaterThanOrEqual(this.lastZxid);
        this.lastZxid = message.zxid;
        if (message.xid > 0) this.answered.push({ session: this.sessionId, xid: message.xid, zxid: message.zxid, err: message.err });
      }
    }
    if (!connection.isClosed) return;
    this.connection = undefined;
    // A session that has begun in read-only mode is known there alone.
    if (!this.#isShared) this.sessionId = 0n;
  }

  connect(to: Parameters<typeof wander>[0], readOnly: boolean): void {
    this.connection = wander(to, this, readOnly);
    this.#read = 0;
  }
}

function wander(
  server: ConstructorParameters<typeof RecordedClient>[0],
  { sessionId, lastZxid }: Wanderer,
  readOnly: boolean,
): RecordedClient {
  const passwd = sessionId === 0n ? new Uint8Array(16) : sessionPassword(sessionId);
  return new RecordedClient(server).connect({ sessionId, passwd, lastZxidSeen: lastZxid, timeOut: 1_000, readOnly });
}

/** What is to happen in some of the storms, by how often it has. */
type Seen = Record<'readOnly' | 'begun' | 'localWrites', number>;

function storm(seed: number, options: Partial<ServerOptions>): Seen {
  const random = new SeededRandom(seed);
  const below = (bound: number): number => random.uint32() % bound;
  const ensemble = new TestEnsemble(3, { snapshotEvery: 40, ...options });
  const history: Entry[] = [];
  const cursors = new Map<number, Zxid>();
  ensemble.onEffect = (sid, effect) => {
    if (effect.type === 'restore') cursors.set(sid, effect.snapshot.zxid);
    if (effect.type !== 'deliver') return;
    effect.run.payloads.forEach((payload) => {
      const entry = decodeTxn(payload);
      const known = history.find(({ header }) => header.zxid === entry.header.zxid);
      if (known === undefined) {
        expect(entry.header.zxid).toBeGreaterThan(history.at(-1)?.header.zxid ?? 0);
        history.push(entry);
      } else {
        expect(entry).toEqual(known);
      }
    });
  };
  ensemble.ready();
  const clients = Array.from({ length: 4 }, () => new Wanderer());
  const down = new Set<number>();
  for (let step = 0; step < 150; step++) {
    for (const client of clients) {
      client.collect();
      if (client.connection === undefined || below(40) === 0) {
        const up = [...ensemble.servers.values()];
        client.connect(up[below(up.length)]!, options.readOnlyMode === true && client.xid % 2 === 0);
      }
      // As every client of ZooKeeper, it sends nothing before its handshake is answered.
      for (let burst = below(4); burst > 0 && client.connection?.connected !== undefined && client.sessionId !== 0n; burst--) {
        const path = `/k${below(6)}`;
        const xid = ++client.xid;
        const kind = below(6);
        if (kind === 0) client.connection.send({ type: OpCode.sync, path }, xid);
        else if (kind === 1) client.connection.send({ type: OpCode.getData, path, watch: below(2) === 0 }, xid);
        else if (kind === 2) client.connection.send({ type: OpCode.delete, path, version: -1 }, xid);
        else if (kind === 3) client.connection.send({ type: OpCode.setData, path, data: new Uint8Array(below(5)), version: -1 }, xid);
        else
          client.connection.send(
            { type: OpCode.create, path, data: null, acl: [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }], flags: below(4) },
            xid,
          );
      }
    }
    const weather = below(30);
    if (weather === 0 && down.size === 0) {
      const sids = [...ensemble.servers.keys()];
      const sid = sids[below(sids.length)]!;
      ensemble.crash(sid);
      down.add(sid);
    } else if (weather === 1) {
      for (const sid of down) ensemble.start(sid);
      down.clear();
    } else if (weather === 2) {
      const alone = 1 + below(3);
      ensemble.network.heal();
      ensemble.network.partition([[1, 2, 3].filter((sid) => sid !== alone), [alone]]);
    } else if (weather <= 5) {
      ensemble.network.heal();
    }
    if (below(3) === 0) ensemble.run(below(120));
    else for (let i = below(60); i > 0; i--) ensemble.clock.step(ensemble.clock.now());
    if (ensemble.failures[0] !== undefined) throw ensemble.failures[0];
  }
  ensemble.network.heal();
  for (const sid of down) ensemble.start(sid);
  ensemble.run(5_000);
  ensemble.ready();
  ensemble.run(3_000);
  for (const client of clients) client.collect();

  const [first, ...others] = [...ensemble.servers.values()];
  for (const other of others) {
    expect(other.tree.serialize()).toEqual(first!.tree.serialize());
    expect([...other.sessions]).toEqual([...first!.sessions]);
  }
  const { begun } = checkHistory(history, clients);
  return {
    readOnly: clients.reduce((sum, client) => sum + client.readOnly, 0),
    begun: begun.size,
    localWrites: history.filter(({ header }) => !begun.has(header.clientId)).length,
  };
}

function checkHistory(history: readonly Entry[], clients: readonly Wanderer[]): { begun: ReadonlySet<bigint> } {
  const lastXid = new Map<bigint, number>();
  const byRequest = new Map<string, TxnHeader>();
  const begun = new Set<bigint>();
  const open = new Set<bigint>();
  for (const { header, txn } of history) {
    const { clientId, cxid } = header;
    if (txn.type === OpCode.create && txn.ephemeral)
      expect(open.has(clientId), 'an ephemeral comes between the beginning and the end of its session').toBe(true);
    if (txn.type === OpCode.createSession) {
      expect(begun.has(clientId), 'a session begins once').toBe(false);
      begun.add(clientId);
      open.add(clientId);
    }
    if (txn.type === OpCode.closeSession) open.delete(clientId);
    if (cxid === 0) continue;
    expect(cxid, 'xids of a session ascend, so nothing is applied twice or late').toBeGreaterThan(lastXid.get(clientId) ?? 0);
    lastXid.set(clientId, cxid);
    byRequest.set(`${clientId} ${cxid}`, header);
  }
  for (const client of clients) {
    for (const { session, xid, zxid, err } of client.answered) {
      const header = byRequest.get(`${session} ${xid}`);
      if (header === undefined) continue;
      expect(err, 'what a server refuses that is cut off is not done').not.toBe(ErrorCode.NOT_READ_ONLY);
      expect(header.zxid, 'a write is answered by its own txn').toBe(zxid);
      expect(err !== 0).toBe(header.type === OpCode.error);
    }
  }
  return { begun };
}

const SEEDS = Number(process.env['SEEDS'] ?? 25);

describe('in any weather', () => {
  it.each<[string, Partial<ServerOptions>, number]>([
    ['', {}, SEEDS],
    [', with local sessions and read-only servers', { localSessions: true, localSessionsUpgrading: true, readOnlyMode: true }, SEEDS / 2],
  ])(`what clients are told is the history%s`, { timeout: 600_000 }, (_name, options, seeds) => {
    const seen: Seen = { readOnly: 0, begun: 0, localWrites: 0 };
    for (let seed = 1; seed <= seeds; seed++) {
      try {
        const one = storm(seed, options);
        for (const name of Object.keys(seen) as (keyof Seen)[]) seen[name] += one[name];
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    expect(seen.begun).toBeGreaterThan(0);
    expect([seen.readOnly > 0, seen.localWrites > 0]).toEqual([options.readOnlyMode === true, options.localSessions === true]);
  });
});
