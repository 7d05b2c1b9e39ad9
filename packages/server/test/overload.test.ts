/** More than the server can do, under virtual time: what waits is bounded, nothing is lost, nobody expires for it. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { type ClientMessage, OpCode } from '@quorate/protocol';
import { sessionPassword } from '@quorate/session';
import { type Completion, MemoryStorage } from '@quorate/zab';
import { describe, expect, it } from 'vitest';
import { HELD_BYTES_MAX } from '../src/client-port.ts';
import type { Server, ServerOptions } from '../src/index.ts';
import { RecordedClient } from './support/recorded-client.ts';
import { TestEnsemble } from './support/test-ensemble.ts';

/** Takes a millisecond for each txn, one after the other: a server over it does a thousand writes in a second. */
class SlowStorage extends MemoryStorage {
  readonly #clock: VirtualClock;
  #busyUntil = 0;
  /** Not before the ensemble stands. */
  isSlow = false;

  constructor(clock: VirtualClock) {
    super({ clock });
    this.#clock = clock;
  }

  override append(run: Parameters<MemoryStorage['append']>[0], done: Completion): void {
    if (!this.isSlow) return super.append(run, done);
    super.append(run, () => {
      this.#busyUntil = Math.max(this.#busyUntil, this.#clock.now()) + run.payloads.length;
      this.#clock.setTimer(this.#busyUntil - this.#clock.now(), done);
    });
  }
}

/** A client whose link keeps what the server does not want to read yet, as a socket does. */
class PatientClient extends RecordedClient {
  readonly unread: ClientMessage[] = [];
  #paused = false;

  constructor(server: Server) {
    super(server, {
      pause: () => {
        this.#paused = true;
      },
      resume: () => {
        this.#paused = false;
        while (!this.#paused && this.unread.length > 0) super.deliver(this.unread.shift() as ClientMessage);
      },
    });
  }

  override deliver(message: ClientMessage): void {
    if (this.#paused) this.unread.push(message);
    else super.deliver(message);
  }
}

function slowSolo(options: Partial<ServerOptions> = {}) {
  const clock = new VirtualClock();
  const storage = new SlowStorage(clock);
  const ensemble = new TestEnsemble(1, { storage: storage.format({ ensembleId: 'test' }), ...options }, clock).ready();
  const clients = (count: number, timeOut = 10_000): PatientClient[] => {
    const made = Array.from({ length: count }, () => new PatientClient(ensemble.leader).connect({ timeOut }));
    ensemble.settle();
    return made;
  };
  const slow = () => {
    storage.isSlow = true;
  };
  return { ensemble, server: ensemble.leader, clients, slow };
}

/** Everything was answered, in order. */
function expectAllAnswered(client: RecordedClient, xids: readonly number[]): void {
  expect(client.isClosed).toBe(false);
  expect(client.replies.map(({ xid }) => xid)).toEqual(xids);
}

describe('five times what the server can do', () => {
  it('is done at the rate of the server, out of bounded queues, and all of it is answered', () => {
    const bytesMax = 16 * 1024;
    const { ensemble, server, clients, slow } = slowSolo({ requestThrottle: { bytesMax }, maxSessionTimeoutMs: 60_000 });
    const crowd = clients(20, 60_000);
    slow();
    const xids = crowd.map((): number[] => []);
    let bytesSeen = 0;
    for (let ms = 0; ms < 1_000; ms += 4) {
      for (const [index, client] of crowd.entries()) (xids[index] as number[]).push(client.create(`/n${index}-${ms}`));
      ensemble.run(4);
      bytesSeen = Math.max(bytesSeen, server.outstandingBytes);
    }
    const answered = crowd.reduce((sum, { replies }) => sum + replies.length, 0);
    expect(answered).toBeGreaterThan(800);
    // One request of each connection may be above the limit.
    expect(bytesSeen).toBeGreaterThan(bytesMax / 2);
    expect(bytesSeen).toBeLessThan(bytesMax + 20 * 256);
    ensemble.run(10_000);
    for (const [index, client] of crowd.entries()) expectAllAnswered(client, xids[index] as number[]);
    expect([server.outstandingCount, server.outstandingBytes]).toEqual([0, 0]);
  });

  it('expires nobody whose pings lie unread because of it', () => {
    const { ensemble, server, clients, slow } = slowSolo({ requestThrottle: { bytesMax: 200_000 } });
    const [greedy] = clients(1, 2_000) as [PatientClient];
    const [patient] = clients(1, 200) as [PatientClient];
    slow();
    for (let i = 0; i < 3_000; i++) greedy.create(`/greedy${i}`);
    const xids = [patient.create('/a'), patient.create('/b')];
    for (let ms = 0; ms < 800; ms += 50) {
      xids.push(patient.send({ type: OpCode.ping }, -2));
      ensemble.run(50);
    }
    expect(patient.replies).toEqual([]);
    expect(patient.unread.length).toBeGreaterThan(10);
    expect([...server.sessions]).toHaveLength(2);
    ensemble.run(1_900);
    expect(patient.replies.map(({ xid }) => xid)).toEqual(xids);
    // From here on it is silent of its own accord.
    ensemble.run(1_000);
    expect([...server.sessions].map(([id]) => id)).toEqual([greedy.sessionId]);
  });

  it('leaves each connection one request under way', () => {
    const { ensemble, server, clients, slow } = slowSolo({ requestThrottle: { requestsMax: 3 } });
    const crowd = clients(10);
    slow();
    for (const [index, client] of crowd.entries()) for (let i = 0; i < 5; i++) client.create(`/n${index}-${i}`);
    ensemble.run(1);
    expect(server.outstandingCount).toBeGreaterThanOrEqual(9);
    expect(server.outstandingCount).toBeLessThanOrEqual(12);
    ensemble.run(100);
    for (const client of crowd) expectAllAnswered(client, [1, 2, 3, 4, 5]);
  });
});

describe('requests that have waited for too long', () => {
  it('are answered THROTTLED_OP in their turn; pings are not', () => {
    const { ensemble, server, clients, slow } = slowSolo({ requestThrottle: { requestsMax: 10, waitMsMax: 50 } });
    const [client] = clients(1) as [PatientClient];
    slow();
    const xids = Array.from({ length: 200 }, (_, i) => client.create(`/n${i}`));
    xids.push(client.send({ type: OpCode.ping }, -2));
    ensemble.run(1_000);
    expectAllAnswered(client, xids);
    const errors = xids.map((xid) => client.err(xid));
    const done = errors.indexOf('THROTTLED_OP');
    expect(done).toBeGreaterThanOrEqual(50);
    expect(done).toBeLessThan(80);
    expect(errors.slice(0, done).every((err) => err === 'OK')).toBe(true);
    expect(errors.slice(done, -1).every((err) => err === 'THROTTLED_OP')).toBe(true);
    expect(errors.at(-1)).toBe('OK');
    expect(server.counts.requestsThrottled).toBe(200 - done);
    // Ten are under way, and all the others wait.
    expect(server.counts.requestsHeldBack).toBe(201 - 10);
  });

  it('wait for as long as it takes where nobody has said otherwise', () => {
    const { ensemble, clients, slow } = slowSolo({ requestThrottle: { requestsMax: 10 } });
    const [client] = clients(1) as [PatientClient];
    slow();
    const xids = Array.from({ length: 200 }, (_, i) => client.create(`/n${i}`));
    ensemble.run(1_000);
    expect(new Set(xids.map((xid) => client.err(xid)))).toEqual(new Set(['OK']));
  });
});

describe('large requests', () => {
  it('end their connection where they are too much together, and no other', () => {
    const throttle = { largeRequestBytes: 1_000, largeRequestsBytesMax: 3_500 };
    const { ensemble, server, clients, slow } = slowSolo({ requestThrottle: throttle });
    const [a, b, c] = clients(3) as [PatientClient, PatientClient, PatientClient];
    a.create('/n');
    ensemble.settle();
    slow();
    const data = 'x'.repeat(1_000);
    for (let i = 0; i < 3; i++) a.setData('/n', data);
    b.setData('/n', data);
    const small = c.setData('/n', 'small');
    expect([a.isClosed, b.isClosed, c.isClosed]).toEqual([false, true, false]);
    ensemble.run(10);
    expect(c.err(small)).toBe('OK');
    // There is room again, also where a connection ended with requests under way.
    a.setData('/n', data);
    a.drop();
    for (let i = 0; i < 3; i++) c.setData('/n', data);
    ensemble.run(10);
    expectAllAnswered(c, [1, 2, 3, 4]);
    expect(server.counts.largeRequestsRejected).toBe(1);
  });
});

describe('what waits in a port', () => {
  it('ends a connection whose link does not pause', () => {
    const ensemble = new TestEnsemble(1).ready();
    const client = ensemble.client(ensemble.leader);
    client.send({ type: OpCode.sync, path: '/' });
    const request = { type: OpCode.setData, path: '/', data: new Uint8Array(1_000_000), version: -1 } as const;
    for (let bytes = 0; bytes < HELD_BYTES_MAX - 2_000_000; bytes += 1_000_000) client.send(request);
    expect(client.isClosed).toBe(false);
    for (let i = 0; i < 3; i++) client.send(request);
    expect(client.isClosed).toBe(true);
  });
});

describe('handshakes', () => {
  it('are let in as fast as was said, and those first who have a session', () => {
    const connectionThrottle = { tokensMax: 9, tokensPerSecond: 3, random: new SeededRandom(1) };
    const ensemble = new TestEnsemble(1, { connectionThrottle }).ready();
    const [first, second, third] = [0, 1, 2].map(() => ensemble.client(ensemble.leader)) as [
      RecordedClient,
      RecordedClient,
      RecordedClient,
    ];
    const refused = ensemble.client(ensemble.leader);
    expect([first, second, third, refused].map(({ isClosed }) => isClosed)).toEqual([false, false, false, true]);
    ensemble.run(700);
    // Two tokens: a session may come back, a new one may not begin.
    expect(ensemble.client(ensemble.leader).isClosed).toBe(true);
    const { sessionId } = first;
    const back = ensemble.client(ensemble.leader, { sessionId, passwd: sessionPassword(sessionId) });
    expect(back.connected?.sessionId).toBe(sessionId);
    expect([...ensemble.leader.sessions]).toHaveLength(3);
    expect(ensemble.leader.counts).toMatchObject({ connectionRequests: 6, connectionsRejected: 2 });
    expect(ensemble.leader.connectionThrottling?.deficit).toBeCloseTo(8.9);
  });

  it('are let in three times as fast where they begin local sessions', () => {
    const connectionThrottle = { tokensMax: 9, tokensPerSecond: 3, random: new SeededRandom(1) };
    const ensemble = new TestEnsemble(1, { connectionThrottle, localSessions: true }).ready();
    const clients = Array.from({ length: 10 }, () => ensemble.client(ensemble.leader));
    expect(clients.map(({ isClosed }) => isClosed)).toEqual([...new Array<boolean>(9).fill(false), true]);
  });
});
