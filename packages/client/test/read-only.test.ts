/** The client at servers that can only read. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { ErrorCode, type ErrorName, OpCode, type ReplyMessage, type Request } from '@quorate/protocol';
import { describe, expect, test } from 'vitest';
import { Call, ClientMachine, type ClientMachineOptions } from '../src/index.js';
import { type FakeConnection, FakeEnsemble } from './fake-ensemble.js';

const exists = (path: string): Request => ({ type: OpCode.exists, path, watch: false });
/** Longer than any pause of the search. */
const LONG_MS = 11_000;

class LoggedCall extends Call {
  readonly #log: (outcome: string) => void;

  constructor(request: Request, log: (outcome: string) => void) {
    super(request);
    this.#log = log;
  }

  override onReply({ err }: ReplyMessage): void {
    this.#log(String(err));
  }

  override onFailure(code: ErrorName): void {
    this.#log(code);
  }
}

function setUp(options: Partial<ClientMachineOptions> = {}) {
  const clock = new VirtualClock();
  const ensemble = new FakeEnsemble(clock, 3);
  const machine = new ClientMachine({
    connector: ensemble,
    clock,
    random: new SeededRandom(1),
    sessionTimeoutMs: 6000,
    firstServer: 0,
    canBeReadOnly: true,
    onState: (state) => ensemble.log(`state ${state}`),
    ...options,
  });
  machine.start();
  const submit = (path: string): void => machine.submit(new LoggedCall(exists(path), (outcome) => ensemble.log(`${path} -> ${outcome}`)));
  /** Lets pings be answered while time passes. */
  const pass = (ms: number, connection: FakeConnection): void => {
    for (let i = 0; i < ms; i += 500) {
      clock.advance(500);
      connection.replyTo(-2, 0);
    }
  };
  /** Runs until the search tries another server. */
  const untilNextAttempt = (): number => {
    const { length } = ensemble.connections;
    const start = clock.now();
    while (ensemble.connections.length === length) clock.advance(1);
    return clock.now() - start;
  };
  const states = (): string[] => ensemble.take().flatMap((line) => line.match(/state .*/) ?? []);
  return { clock, ensemble, machine, submit, pass, untilNextAttempt, states };
}

describe('a client that can be read-only', () => {
  test('says so in its handshake, reads there, and takes the first server that takes writes', () => {
    const { ensemble, machine, submit, untilNextAttempt } = setUp();
    submit('/a');
    const reader = ensemble.handshake({ sessionId: 0x55n, readOnly: true });
    reader.reply(7);
    submit('/b');
    expect(machine.state).toBe('CONNECTED_READ_ONLY');
    expect(ensemble.take()).toEqual([
      '0 connect 0',
      '0 send connect session=0 seen=0 timeout=6000 password=0 readOnly',
      '0 send 1 exists /a',
      '0 state CONNECTED_READ_ONLY',
      '0 /a -> 0',
      '0 send 2 exists /b',
    ]);
    untilNextAttempt();
    // Its session is known nowhere else, so it asks for another one, and for nothing less than a server that takes writes.
    const writer = ensemble.handshake({ sessionId: 0x66n });
    expect(ensemble.take().map((line) => line.replace(/^\d+ |(?<=connect )\d$/g, ''))).toEqual([
      'connect ',
      'send connect session=0 seen=7 timeout=6000 password=0',
      'close',
      'state CONNECTED',
      '/b -> CONNECTION_LOSS',
    ]);
    expect([reader.closed, writer.closed, machine.sessionId, machine.state]).toEqual([true, false, 0x66n, 'CONNECTED']);
    reader.replyTo(2, 9);
    submit('/c');
    writer.reply(9);
    expect(ensemble.take().at(-1)).toMatch(/c -> 0$/);
  });

  test('takes its session along, where a server that takes writes has known it', () => {
    const { ensemble, machine, clock, untilNextAttempt, states } = setUp();
    ensemble.handshake({ sessionId: 0x77n });
    clock.advance(1500);
    ensemble.last.cut();
    ensemble.handshake({ sessionId: 0x77n, readOnly: true });
    untilNextAttempt();
    ensemble.take();
    ensemble.last.handler.onOpen();
    expect(ensemble.take().at(-1)).toMatch(/send connect session=119 seen=0 timeout=6000 password=7$/);
    ensemble.last.connected({ sessionId: 0x77n });
    expect(states()).toEqual(['state CONNECTED']);
    expect(machine.sessionId).toBe(0x77n);
  });

  test('hears from the other server that its session is gone', () => {
    const { ensemble, machine, clock, untilNextAttempt } = setUp();
    ensemble.handshake();
    clock.advance(1500);
    ensemble.last.cut();
    const reader = ensemble.handshake({ readOnly: true });
    untilNextAttempt();
    ensemble.handshake({ timeOut: 0, sessionId: 0n });
    expect([machine.state, reader.closed]).toEqual(['EXPIRED', true]);
  });

  test('goes on looking, at growing intervals, past servers that refuse, only read, or do not answer', () => {
    const { ensemble, machine, pass, untilNextAttempt } = setUp();
    const reader = ensemble.handshake({ timeOut: 60_000, readOnly: true });
    const pauses: number[] = [];
    for (let i = 0; i < 12; i++) {
      pauses.push(untilNextAttempt());
      if (i % 3 === 0) ensemble.last.cut();
      else if (i % 3 === 1) ensemble.handshake({ readOnly: true });
      else pass(20_000, reader);
    }
    // An attempt that is not answered takes a third of the session timeout, in which the pause has passed or not.
    const [first, second] = pauses as [number, number];
    expect(first).toBeGreaterThanOrEqual(50);
    expect(first).toBeLessThanOrEqual(100);
    expect(second).toBeGreaterThanOrEqual(100);
    expect(second).toBeLessThanOrEqual(200);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(10_000);
    expect(pauses.at(-1)).toBeGreaterThan(3_000);
    expect([machine.state, reader.closed]).toEqual(['CONNECTED_READ_ONLY', false]);
    expect(ensemble.connections.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(3);
  });

  test('does not go on at a server that may be behind what it has read since it asked', () => {
    const { ensemble, machine, submit, untilNextAttempt, states } = setUp();
    const reader = ensemble.handshake({ readOnly: true });
    untilNextAttempt();
    const behind = ensemble.last;
    behind.handler.onOpen();
    submit('/a');
    reader.reply(9);
    behind.connected();
    expect([behind.closed, reader.closed, machine.state]).toEqual([true, true, 'CONNECTING']);
    ensemble.last.handler.onOpen();
    expect(ensemble.take().at(-1)).toMatch(/seen=9/);
    ensemble.last.connected();
    expect(states()).toEqual(['state CONNECTED']);
  });

  test('stops looking when its connection is lost, and when it is closed', () => {
    const { ensemble, machine, clock, untilNextAttempt } = setUp();
    const reader = ensemble.handshake({ readOnly: true });
    untilNextAttempt();
    const asked = ensemble.last;
    reader.cut();
    expect(asked.closed).toBe(true);
    asked.connected();
    expect(machine.state).toBe('CONNECTING');
    const again = ensemble.handshake({ readOnly: true });
    const { length } = ensemble.connections;
    machine.close(() => ensemble.log('done'));
    clock.advance(LONG_MS / 10);
    again.reply(0, undefined, ErrorCode.NOT_READ_ONLY);
    expect(machine.state).toBe('CLOSED');
    clock.advance(LONG_MS);
    expect(ensemble.connections.length).toBe(length);
  });

  test('does not expire by itself where its session is known to no server that takes writes', () => {
    const { ensemble, machine, clock } = setUp();
    ensemble.handshake({ readOnly: true }).cut();
    clock.advance(60_000);
    expect(machine.state).toBe('CONNECTING');
    while (ensemble.last.closed) clock.advance(1);
    ensemble.handshake().cut();
    clock.advance(60_000);
    expect(machine.state).toBe('EXPIRED');
  });
});

test('a client that did not ask for it leaves a server that can only read', () => {
  const { ensemble, machine } = setUp({ canBeReadOnly: false });
  const reader = ensemble.last;
  ensemble.handshake({ readOnly: true });
  expect(ensemble.take()[1]).toBe('0 send connect session=0 seen=0 timeout=6000 password=0');
  expect([reader.closed, machine.state, machine.sessionId]).toEqual([true, 'CONNECTING', 0n]);
});
