/** How long a client counts on its session. The session timeout is 3,000 ms, the lease 2,000, and a leader is asked every 1,000. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { ErrorCode, OpCode, Xid } from '@quorate/protocol';
import { describe, expect, test } from 'vitest';
import { Client, type ClientOptions } from '../src/index.js';
import { FakeEnsemble } from './fake-ensemble.js';
import { LateClock } from './late-clock.js';

function setUp(options: Partial<ClientOptions> = {}, clock = new VirtualClock()) {
  const ensemble = new FakeEnsemble(clock);
  const client = new Client({ connector: ensemble, clock, random: new SeededRandom(1), firstServer: 0, ...options });
  return { clock, ensemble, client };
}

function connected(options?: Partial<ClientOptions>, clock?: VirtualClock) {
  const made = setUp(options, clock);
  made.ensemble.handshake();
  made.ensemble.take();
  return made;
}

/** When the signal aborts, with its reason's code; undefined while it has not. */
function abortOf(clock: VirtualClock, signal: AbortSignal): () => string | undefined {
  let seen: string | undefined;
  const look = () => {
    seen = `${clock.now()} ${(signal.reason as { code: string }).code}`;
  };
  if (signal.aborted) look();
  else signal.addEventListener('abort', look);
  return () => seen;
}

describe('the lease', () => {
  test('counts from the sending of the handshake, not from its answer', () => {
    const { clock, ensemble, client } = setUp();
    ensemble.last.handler.onOpen();
    clock.advance(700);
    ensemble.last.connected();
    const aborted = abortOf(clock, client.leaseSignal);
    clock.advance(1299);
    expect(aborted()).toBeUndefined();
    clock.advance(1);
    expect(aborted()).toBe('2000 CONNECTION_LOSS');
  });

  test('is renewed by syncs of its own, from when they were sent', () => {
    const { clock, ensemble, client } = connected();
    const aborted = abortOf(clock, client.leaseSignal);
    expect(ensemble.take()).toEqual(['0 send 1 sync /']);
    clock.advance(600);
    ensemble.last.reply(1);
    clock.advance(400);
    expect(ensemble.take()).toEqual(['1000 send 2 sync /']);
    clock.advance(500);
    ensemble.last.reply(2);
    clock.advance(500);
    expect(ensemble.take()).toEqual(['2000 send 3 sync /']);
    clock.advance(999);
    expect(aborted()).toBeUndefined();
    clock.advance(1);
    expect(aborted()).toBe('3000 CONNECTION_LOSS');
  });

  test('is not renewed by what a server answers that may be cut off', () => {
    const { clock, ensemble, client } = connected();
    const aborted = abortOf(clock, client.leaseSignal);
    ensemble.last.reply(1);
    clock.advance(500);
    void client.exists('/a');
    ensemble.last.reply(1, undefined, ErrorCode.NO_NODE);
    clock.advance(700);
    for (let at = 1200; at < 2000; at += 100) {
      ensemble.last.replyTo(Xid.ping, 0);
      clock.advance(100);
    }
    expect([aborted(), client.state]).toEqual(['2000 CONNECTION_LOSS', 'CONNECTED']);
  });

  test('until somebody relies on it, it is known from every answer', async () => {
    const { clock, ensemble, client } = connected();
    clock.advance(900);
    void client.exists('/a');
    clock.advance(1000);
    ensemble.last.reply(1, undefined, ErrorCode.NO_NODE);
    const aborted = abortOf(clock, client.leaseSignal);
    clock.advance(999);
    expect(aborted()).toBeUndefined();
    clock.advance(1);
    expect(aborted()).toBe('2900 CONNECTION_LOSS');
  });

  test('an older ping is not taken for a younger one', () => {
    const { clock, ensemble, client } = connected();
    void client.exists('/a');
    clock.advance(1000);
    ensemble.last.reply(1, undefined, ErrorCode.NO_NODE);
    clock.advance(900);
    void client.exists('/a');
    ensemble.last.reply(1, undefined, ErrorCode.NO_NODE);
    expect(ensemble.take().filter((line) => line.includes('ping'))).toEqual(['1000 send ping']);
    clock.advance(1000);
    ensemble.last.replyTo(Xid.ping, 0);
    const aborted = abortOf(clock, client.leaseSignal);
    clock.advance(999);
    expect(aborted()).toBeUndefined();
    clock.advance(1);
    expect(aborted()).toBe('3900 CONNECTION_LOSS');
  });

  test.each(['SESSION_MOVED', 'SESSION_EXPIRED'] as const)('is not renewed by %s', (code) => {
    const { clock, ensemble, client } = connected();
    const aborted = abortOf(clock, client.leaseSignal);
    clock.advance(1000);
    ensemble.last.reply(1, undefined, ErrorCode[code]);
    clock.advance(1000);
    expect(aborted()).toBe('2000 CONNECTION_LOSS');
  });

  test('outlives its connection, and another one renews it', () => {
    const { clock, ensemble, client } = connected();
    const { leaseSignal } = client;
    clock.advance(500);
    ensemble.last.cut();
    clock.advance(500);
    ensemble.handshake();
    const aborted = abortOf(clock, leaseSignal);
    clock.advance(1999);
    expect(aborted()).toBeUndefined();
    clock.advance(1);
    expect(aborted()).toBe('3000 CONNECTION_LOSS');
  });

  test('a signal that has aborted stays so, and the next one is fresh once a leader has answered', () => {
    const { clock, ensemble, client } = connected();
    const first = client.leaseSignal;
    clock.advance(500);
    ensemble.last.cut();
    clock.advance(1500);
    expect([first.aborted, client.leaseSignal === first]).toEqual([true, true]);
    ensemble.handshake();
    const second = client.leaseSignal;
    expect([first.aborted, second.aborted, client.leaseSignal === second]).toEqual([true, false, true]);
    const aborted = abortOf(clock, second);
    clock.advance(2000);
    expect(aborted()).toBe('4000 CONNECTION_LOSS');
  });

  test('there is none before the first connection, nor from a server that only reads', () => {
    const { ensemble, client } = setUp({ canBeReadOnly: true });
    expect(client.leaseSignal.aborted).toBe(true);
    ensemble.handshake({ readOnly: true });
    expect(client.leaseSignal.reason).toMatchObject({ code: 'CONNECTION_LOSS' });
  });

  test('ends when close is called, before the server can have ended the session', () => {
    const { clock, ensemble, client } = connected();
    const aborted = abortOf(clock, client.leaseSignal);
    void client.close();
    expect([aborted(), client.state]).toEqual(['0 SESSION_EXPIRED', 'CONNECTED']);
    expect(client.leaseSignal.aborted).toBe(true);
    expect(ensemble.take()).toEqual(['0 send 1 sync /', '0 send 2 closeSession']);
  });

  test('ends with the session, relied on or not', () => {
    const { ensemble, client } = connected();
    ensemble.last.cut();
    ensemble.handshake({ timeOut: 0 });
    expect([client.state, client.leaseSignal.reason]).toMatchObject(['EXPIRED', { code: 'SESSION_EXPIRED' }]);
  });
});

describe('a process that stood still', () => {
  test('finds the signal aborted before any call resolves', async () => {
    const clock = new LateClock();
    const { ensemble, client } = connected({}, clock);
    const { leaseSignal } = client;
    const seen: unknown[] = [];
    const read = client.getData('/a').then(() => seen.push(leaseSignal.aborted));
    clock.standStill(2500);
    // What lay in the socket is handled before the timers are.
    ensemble.last.reply(1);
    ensemble.last.reply(2, { type: OpCode.getData, data: null, stat: {} as never });
    await read;
    expect(seen).toEqual([true]);
  });

  test('finds it aborted whoever reads it first', () => {
    const clock = new LateClock();
    const { client } = connected({}, clock);
    const { leaseSignal } = client;
    clock.standStill(2500);
    expect([client.leaseSignal === leaseSignal, leaseSignal.aborted]).toEqual([true, true]);
  });

  test('a listener may end the client there', () => {
    const clock = new LateClock();
    const { ensemble, client } = connected({}, clock);
    client.leaseSignal.addEventListener('abort', () => void client.close({ signal: AbortSignal.abort() }).catch(() => {}));
    clock.standStill(2500);
    ensemble.last.reply(1);
    clock.advance(10_000);
    expect([client.state, ensemble.connections.length]).toEqual(['CLOSED', 1]);
  });
});
