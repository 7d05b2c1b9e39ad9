import { makeZxid, OPEN_ACL_UNSAFE, OpCode, type Zxid } from '@quorate/protocol';
import { describe, expect, it } from 'vitest';
import { Database } from '../src/database.ts';
import { Leadership } from '../src/leadership.ts';
import { ServerCounts } from '../src/server-counts.ts';
import type { SessionMessage } from '../src/session-messages.ts';

const TICK_MS = 100;

/** A leadership over a clock that goes only where the test says, and a broadcast that keeps what is proposed. */
function leadership(sessions: readonly bigint[] = []) {
  const database = new Database();
  for (const session of sessions) database.sessions.add(session, 500);
  const time = { now: 0 };
  const told: [number, SessionMessage][] = [];
  let proposals = 0;
  const leader = new Leadership({
    epoch: 1,
    broadcast: {
      get nextZxid() {
        return makeZxid(1, proposals + 1);
      },
      propose: () => makeZxid(1, ++proposals),
      request: () => {},
      revalidate: () => {},
      answerRevalidate: () => {},
      sync: () => {},
    },
    database,
    counts: new ServerCounts(),
    clock: { now: () => time.now, wallNow: () => 1_000 + time.now, setTimer: () => ({ cancel: () => {} }), defer: () => {} },
    tickTimeMs: TICK_MS,
    containerCheckIntervalMs: 60_000,
    containersPerMinuteMax: 10_000,
    quotas: { enforce: false, onExcess: () => {} },
    containerNeverUsedMaxMs: 0,
    tell: (to, message) => told.push([to, message]),
  });
  const types = (): number[] => {
    const found: number[] = [];
    for (let counter = 1; counter <= proposals; counter++) {
      const prepared = leader.takePrepared(makeZxid(1, counter) as Zxid);
      if (prepared !== undefined) found.push(prepared.txn.type);
    }
    return found;
  };
  return { leader, time, told, types, tickAt: (ms: number) => ((time.now = ms), leader.tick()) };
}

describe('a request of a local session', () => {
  const create = (session: bigint, flags: number, upgrading: boolean) =>
    ({
      session,
      cxid: 1,
      authIds: [],
      request: { type: OpCode.create, path: '/x', data: null, acl: OPEN_ACL_UNSAFE, flags },
      local: { timeOut: 500, upgrading },
    }) as const;

  it('is not taken under an id that the ensemble knows, be that session ending', () => {
    const { leader, told, types } = leadership([5n]);
    leader.take(2, create(5n, 0, false));
    leader.take(3, create(5n, 1, true));
    expect(leader.expire(5n)).toBe(true);
    leader.take(2, create(5n, 1, true));
    expect(told).toEqual([2, 3, 2].map((sid) => [sid, { type: 'taken', session: 5n }]));
    expect(types()).toEqual([OpCode.closeSession]);
  });

  it('makes an ephemeral where it upgrades, and no other way', () => {
    const { leader, told, types } = leadership();
    leader.take(2, create(6n, 1, false));
    leader.take(2, create(7n, 1, true));
    expect(told).toEqual([]);
    expect(types()).toEqual([OpCode.error, OpCode.createSession, OpCode.create]);
  });
});

describe('expiry', () => {
  it('comes after the timeout and at most two ticks later', () => {
    const { types, tickAt } = leadership([5n]);
    for (let ms = TICK_MS; ms <= 500; ms += TICK_MS) tickAt(ms);
    expect(types()).toEqual([]);
    tickAt(600);
    tickAt(700);
    expect(types()).toEqual([OpCode.closeSession]);
  });

  it('does not count the time in which the leader itself stood still (P6)', () => {
    const { types, tickAt } = leadership([5n]);
    tickAt(100);
    tickAt(60_000);
    for (let ms = 60_100; ms <= 60_500; ms += TICK_MS) tickAt(ms);
    expect(types()).toEqual([]);
    tickAt(60_600);
    tickAt(60_700);
    expect(types()).toEqual([OpCode.closeSession]);
  });
});

describe('requests of a session', () => {
  const write = { type: OpCode.setData, path: '/', data: null, version: -1 } as const;

  it('that is not known, or closing, become error txns', () => {
    const { leader, types } = leadership([5n]);
    leader.take(1, { session: 4n, cxid: 1, authIds: [], request: write });
    leader.take(1, { session: 5n, cxid: 1, authIds: [], request: { type: OpCode.closeSession } });
    leader.take(1, { session: 5n, cxid: 2, authIds: [], request: write });
    expect(types()).toEqual([OpCode.error, OpCode.closeSession, OpCode.error]);
  });

  it('are taken from the first server that speaks for it, and from no other until it moves', () => {
    const { leader, told, types } = leadership([5n]);
    const request = { session: 5n, cxid: 1, authIds: [], request: write };
    leader.take(1, request);
    leader.take(2, request);
    expect(told).toEqual([[2, { type: 'moved', session: 5n, stamp: makeZxid(1, 0) }]]);
    leader.renew(2, 5n, 500);
    leader.take(1, request);
    leader.take(2, request);
    expect(told.slice(1)).toEqual([
      [1, { type: 'moved', session: 5n, stamp: makeZxid(1, 1) }],
      [2, { type: 'renewed', session: 5n, lives: true, zxid: makeZxid(1, 2), stamp: makeZxid(1, 1) }],
      [1, { type: 'moved', session: 5n, stamp: makeZxid(1, 1) }],
    ]);
    // The move is a txn too.
    expect(types()).toEqual([OpCode.setData, OpCode.error, OpCode.setData]);
  });

  it('a claim from before the change of leader gives way to a newer one, in either order', () => {
    for (const [first, second] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const { leader, told } = leadership([5n]);
      for (const sid of [first, second]) leader.hold(sid, [{ id: 5n, timeOut: 500, stamp: makeZxid(0, sid) }]);
      expect(told).toEqual([[1, { type: 'moved', session: 5n, stamp: makeZxid(0, 2) }]]);
    }
  });
});
