/** The machine against scripted servers: what it sends, when, and what its callers hear. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { ErrorCode, type ErrorName, OpCode, type ReplyMessage, type Request } from '@quorate/protocol';
import { describe, expect, test } from 'vitest';
import { type AuthCall, Call, ClientMachine, type ClientMachineOptions, type Watcher } from '../src/index.js';
import { FakeEnsemble, someStat } from './fake-ensemble.js';
import { LateClock } from './late-clock.js';

/** A call that writes its outcome into the trace. */
class TracedCall extends Call {
  readonly #log: (line: string) => void;
  readonly #name: string;
  outcomes = 0;

  constructor(name: string, request: Request, log: (line: string) => void, watcher?: Watcher) {
    super(request, watcher);
    this.#name = name;
    this.#log = log;
  }

  override onReply(reply: ReplyMessage): void {
    this.outcomes++;
    this.#log(`${this.#name} -> ${reply.err}`);
  }

  override onFailure(code: ErrorName): void {
    this.outcomes++;
    this.#log(`${this.#name} -> ${code}`);
  }
}

function setUp(options: Partial<ClientMachineOptions> = {}, servers = 3) {
  const clock = new VirtualClock();
  const ensemble = new FakeEnsemble(clock, servers);
  const machine = new ClientMachine({
    connector: ensemble,
    clock,
    random: new SeededRandom(1),
    sessionTimeoutMs: 6000,
    firstServer: 0,
    onState: (state) => ensemble.log(`state ${state}`),
    ...options,
  });
  const call = (name: string, request: Request, watcher?: Watcher) => new TracedCall(name, request, (line) => ensemble.log(line), watcher);
  const submit = (name: string, request: Request, watcher?: Watcher) => {
    const made = call(name, request, watcher);
    machine.submit(made);
    return made;
  };
  const watcher: Watcher = (event) => ensemble.log(`watch ${event.type} ${event.path} at ${event.zxid}`);
  return { clock, ensemble, machine, call, submit, watcher };
}

const sync = (path: string): Request => ({ type: OpCode.sync, path });
const getData = (path: string): Request => ({ type: OpCode.getData, path, watch: true });
const exists = (path: string): Request => ({ type: OpCode.exists, path, watch: true });
const getChildren = (path: string): Request => ({ type: OpCode.getChildren2, path, watch: true });
const dataOf = (): { type: typeof OpCode.getData; data: null; stat: typeof someStat } => ({
  type: OpCode.getData,
  data: null,
  stat: someStat,
});
const auth = (secret: string): Request => ({
  type: OpCode.auth,
  authType: 0,
  scheme: 'digest',
  auth: Uint8Array.from(secret, (c) => c.charCodeAt(0)),
});

describe('connecting', () => {
  test('a new session: handshake, then what was waiting, in order', () => {
    const { ensemble, machine, submit } = setUp();
    machine.start();
    submit('a', sync('/a'));
    submit('b', sync('/b'));
    ensemble.handshake({ timeOut: 4000 });
    ensemble.last.reply(5);
    ensemble.last.reply(6);
    expect(ensemble.take()).toEqual([
      '0 connect 0',
      '0 send connect session=0 seen=0 timeout=6000 password=0',
      '0 send 1 sync /a',
      '0 send 2 sync /b',
      '0 state CONNECTED',
      '0 a -> 0',
      '0 b -> 0',
    ]);
    expect([machine.sessionId, machine.sessionTimeoutMs, machine.lastZxidSeen, machine.pending]).toEqual([0x77n, 4000, 6, 0]);
  });

  test('after a loss another server is tried at once, with the session and what was seen of it', () => {
    const { clock, ensemble, machine, submit } = setUp();
    machine.start();
    ensemble.handshake();
    submit('a', sync('/a'));
    ensemble.last.reply(9);
    clock.advance(1000);
    submit('b', sync('/b'));
    ensemble.take();
    ensemble.last.cut();
    expect(ensemble.last.index).not.toBe(0);
    submit('c', sync('/c'));
    ensemble.handshake();
    expect(ensemble.take().map((line) => line.replace(/connect \d$/, 'connect'))).toEqual([
      '1000 close',
      '1000 connect',
      '1000 state CONNECTING',
      '1000 b -> CONNECTION_LOSS',
      '1000 send connect session=119 seen=9 timeout=6000 password=7',
      '1000 send 3 sync /c',
      '1000 state CONNECTED',
    ]);
  });

  test('every server has its turn, after pauses that grow and differ', () => {
    const { clock, ensemble, machine } = setUp({ sessionTimeoutMs: 600_000 });
    machine.start();
    for (let attempt = 0; attempt < 12; attempt++) {
      const count = ensemble.connections.length;
      ensemble.last.cut();
      while (ensemble.connections.length === count) clock.step();
    }
    const tried = ensemble.connections.map((connection) => connection.index);
    for (let turn = 0; turn < 4; turn++) expect(new Set(tried.slice(turn * 3, turn * 3 + 3)).size).toBe(3);
    const times = ensemble
      .take()
      .filter((line) => line.includes('connect'))
      .map((line) => Number.parseFloat(line));
    const pauses = times.slice(1).map((time, index) => time - (times[index] as number));
    expect(pauses[0]).toBe(0);
    expect(pauses[1]).toBeLessThan(20);
    expect(Math.min(...pauses.slice(1))).toBeGreaterThanOrEqual(10);
    expect(Math.max(...pauses)).toBeGreaterThan(500);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1000);
  });

  test('a server that does not answer the handshake has a third of the timeout, of three servers', () => {
    const { clock, ensemble, machine } = setUp();
    machine.start();
    ensemble.last.handler.onOpen();
    clock.advance(1999);
    expect(ensemble.connections.length).toBe(1);
    clock.advance(100);
    expect(ensemble.connections.length).toBe(2);
    expect(ensemble.connections[0]?.closed).toBe(true);
  });

  test('a server that takes clients and drops them is not tried in a hot loop', () => {
    const { clock, ensemble, machine } = setUp({ firstServer: undefined }, 1);
    machine.start();
    ensemble.handshake();
    ensemble.last.cut();
    for (let turn = 0; turn < 5; turn++) {
      ensemble.handshake();
      const count = ensemble.connections.length;
      ensemble.last.cut();
      expect(ensemble.connections.length).toBe(count);
      clock.advance(1000);
    }
  });

  test('what an earlier connection still reports is ignored', () => {
    const { ensemble, machine, submit } = setUp();
    machine.start();
    const first = ensemble.handshake();
    submit('a', sync('/a'));
    first.cut();
    ensemble.take();
    first.replyTo(1, 3);
    first.event('nodeCreated', '/x', 3);
    first.connected();
    first.cut();
    expect(ensemble.take()).toEqual([]);
  });

  test('the clients of an ensemble spread over it', () => {
    const counts = [0, 0, 0];
    for (let seed = 0; seed < 300; seed++) {
      const { ensemble, machine } = setUp({ random: new SeededRandom(seed), firstServer: undefined });
      machine.start();
      counts[ensemble.last.index] = (counts[ensemble.last.index] as number) + 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(70);
  });
});

describe('a connection that is silent', () => {
  test('is pinged after a third of the timeout without a request, and given up after two thirds without a word', () => {
    const { clock, ensemble, machine } = setUp();
    machine.start();
    ensemble.handshake({ timeOut: 3000 });
    ensemble.take();
    clock.advance(1000);
    ensemble.last.replyTo(-2, 0);
    clock.advance(2100);
    expect(ensemble.take().filter((line) => !/connect \d/.test(line))).toEqual([
      '1000 send ping',
      '2000 send ping',
      '3000 close',
      '3000 state CONNECTING',
    ]);
  });

  test('is not pinged while requests go out', () => {
    const { clock, ensemble, machine, submit } = setUp();
    machine.start();
    ensemble.handshake({ timeOut: 3000 });
    for (let turn = 0; turn < 10; turn++) {
      submit('a', sync('/'));
      ensemble.last.reply(turn + 1);
      clock.advance(900);
    }
    expect(ensemble.take().some((line) => line.includes('ping'))).toBe(false);
  });

  test('gets a second look when the process itself stood still', () => {
    const late = new LateClock();
    const { ensemble, machine } = setUp({ clock: late });
    machine.start();
    ensemble.handshake({ timeOut: 3000 });
    late.standStill(5000);
    expect(machine.state).toBe('CONNECTED');
    // The answer that lay unread is read now.
    ensemble.last.replyTo(-2, 0);
    late.advance(1500);
    expect(machine.state).toBe('CONNECTED');
    late.standStill(5000);
    late.advance(600);
    expect(machine.state).toBe('CONNECTING');
  });
});

describe('watches', () => {
  test('are registered by an answer that armed them, and by no other', () => {
    const { ensemble, machine, submit, watcher } = setUp();
    machine.start();
    ensemble.handshake();
    submit('data', getData('/data'), watcher);
    submit('absent', getData('/absent'), watcher);
    submit('exists', exists('/exists'), watcher);
    submit('not yet', exists('/not-yet'), watcher);
    submit('children', getChildren('/children'), watcher);
    submit('refused', exists('/refused'), watcher);
    ensemble.last.reply(1, dataOf());
    ensemble.last.reply(1, undefined, ErrorCode.NO_NODE);
    ensemble.last.reply(1, { type: OpCode.exists, stat: someStat });
    ensemble.last.reply(1, undefined, ErrorCode.NO_NODE);
    ensemble.last.reply(1, { type: OpCode.getChildren2, children: [], stat: someStat });
    ensemble.last.reply(2, undefined, ErrorCode.NO_AUTH);
    ensemble.take();
    ensemble.last.cut();
    ensemble.handshake();
    expect(ensemble.take().filter((line) => line.includes('setWatches'))).toEqual([
      '0 send setWatches since=2 data=/data,/exists exist=/not-yet child=/children',
    ]);
  });

  test('fire once, and a function once per event', () => {
    const { ensemble, machine, submit, watcher } = setUp();
    machine.start();
    ensemble.handshake();
    submit('data', getData('/a'), watcher);
    submit('exists', exists('/a'), watcher);
    submit('children', getChildren('/a'), watcher);
    ensemble.last.reply(1, dataOf());
    ensemble.last.reply(1, { type: OpCode.exists, stat: someStat });
    ensemble.last.reply(1, { type: OpCode.getChildren2, children: [], stat: someStat });
    ensemble.take();
    ensemble.last.event('nodeDataChanged', '/a', 7);
    ensemble.last.event('nodeDataChanged', '/a', 8);
    ensemble.last.event('nodeDeleted', '/a', 9);
    ensemble.last.event('nodeChildrenChanged', '/a', 10);
    expect(ensemble.take()).toEqual(['0 watch NODE_DATA_CHANGED /a at 7', '0 watch NODE_DELETED /a at 9']);
  });

  test('an event counts for the servers that may be chosen, not for what the next one replays', () => {
    const { ensemble, machine, submit, watcher } = setUp();
    machine.start();
    ensemble.handshake();
    submit('a', getData('/a'), watcher);
    submit('b', getData('/b'), watcher);
    ensemble.last.reply(4, dataOf());
    ensemble.last.reply(4, dataOf());
    // One txn changed both; the connection ends between its two events.
    ensemble.last.event('nodeDataChanged', '/a', 5);
    ensemble.last.cut();
    ensemble.take();
    ensemble.handshake();
    const lines = ensemble.take();
    expect(lines.some((line) => line.includes('seen=5'))).toBe(true);
    expect(lines).toContain('0 send setWatches since=4 data=/b exist= child=');
  });

  test('many are armed again by several packets of at most 128 KiB', () => {
    const { ensemble, machine, submit, watcher } = setUp();
    machine.start();
    ensemble.handshake();
    for (let index = 0; index < 3000; index++) {
      submit('', getData(`/${'x'.repeat(90)}/${index}`), watcher);
      ensemble.last.reply(1, dataOf());
    }
    ensemble.last.cut();
    ensemble.handshake();
    const packets = ensemble.last.sent.flatMap((message) =>
      message.kind === 'request' && message.request.type === OpCode.setWatches ? [message.request] : [],
    );
    expect(packets.length).toBe(3);
    expect(packets.flatMap((packet) => packet.dataWatches).length).toBe(3000);
    for (const packet of packets)
      expect(packet.dataWatches.reduce((sum, path) => sum + 4 + path.length, 28)).toBeLessThanOrEqual(128 * 1024);
  });

  test('that the server does not arm again are not given up: another connection tries', () => {
    const { ensemble, machine, submit, watcher } = setUp();
    machine.start();
    ensemble.handshake();
    submit('a', getData('/a'), watcher);
    ensemble.last.reply(1, dataOf());
    ensemble.last.cut();
    ensemble.handshake();
    ensemble.last.replyTo(-8, 1, undefined, ErrorCode.SYSTEM_ERROR);
    expect(ensemble.last.closed).toBe(true);
    expect(machine.state).toBe('CONNECTING');
  });

  test('a watcher that throws stops neither the client nor the other watchers', () => {
    const { clock, ensemble, machine, submit, watcher } = setUp();
    machine.start();
    ensemble.handshake();
    submit('a', getData('/a'), () => {
      throw new Error('of the application');
    });
    submit('b', getData('/a'), watcher);
    ensemble.last.reply(1, dataOf());
    ensemble.last.reply(1, dataOf());
    ensemble.last.event('nodeDeleted', '/a', 2);
    expect(ensemble.take()).toContain('0 watch NODE_DELETED /a at 2');
    expect(machine.state).toBe('CONNECTED');
    expect(() => clock.step()).toThrow('of the application');
  });
});

describe('authentication', () => {
  test('comes before watches and requests on every new connection, and is answered over a loss', () => {
    const { ensemble, machine, submit, call, watcher } = setUp();
    machine.start();
    machine.addAuth(call('first', auth('u:p')) as Call as AuthCall);
    ensemble.handshake();
    submit('a', getData('/a'), watcher);
    ensemble.last.replyTo(-4, 0);
    ensemble.last.reply(1, dataOf());
    machine.addAuth(call('second', auth('v:q')) as Call as AuthCall);
    ensemble.last.cut();
    submit('b', sync('/b'));
    ensemble.take();
    ensemble.handshake();
    ensemble.last.replyTo(-4, 0);
    ensemble.log('one answer, one to come');
    ensemble.last.replyTo(-4, 0);
    expect(ensemble.take()).toEqual([
      '0 send connect session=119 seen=1 timeout=6000 password=7',
      '0 send auth',
      '0 send auth',
      '0 send setWatches since=1 data=/a exist= child=',
      '0 send 2 sync /b',
      '0 state CONNECTED',
      '0 one answer, one to come',
      '0 second -> 0',
    ]);
  });

  test('that is refused ends the client', () => {
    const { clock, ensemble, machine, submit, call } = setUp();
    machine.start();
    ensemble.handshake();
    submit('sent', sync('/'));
    machine.addAuth(call('auth', auth('nobody')) as Call as AuthCall);
    ensemble.take();
    ensemble.last.replyTo(-4, 0, undefined, ErrorCode.AUTH_FAILED);
    submit('late', sync('/'));
    clock.advance(0);
    expect(ensemble.take()).toEqual([
      '0 close',
      '0 state AUTH_FAILED',
      '0 sent -> CONNECTION_LOSS',
      '0 auth -> AUTH_FAILED',
      '0 late -> AUTH_FAILED',
    ]);
  });
});

describe('the end of a session', () => {
  test('told by a server: what waits fails, and what comes later', () => {
    const { clock, ensemble, machine, submit } = setUp();
    machine.start();
    ensemble.handshake();
    ensemble.last.cut();
    submit('waits', sync('/'));
    ensemble.take();
    ensemble.handshake({ timeOut: 0, sessionId: 0n });
    submit('late', sync('/'));
    clock.advance(100_000);
    expect(ensemble.take().slice(1)).toEqual(['0 close', '0 state EXPIRED', '0 waits -> SESSION_EXPIRED', '0 late -> SESSION_EXPIRED']);
  });

  test('is assumed after four thirds of the timeout without a server, counted from the loss', () => {
    const { clock, ensemble, machine } = setUp();
    machine.start();
    ensemble.handshake({ timeOut: 3000 });
    clock.advance(500);
    ensemble.last.cut();
    clock.advance(3999);
    expect(machine.state).toBe('CONNECTING');
    clock.advance(1);
    expect(machine.state).toBe('EXPIRED');
  });

  test('is not assumed any more once a server has answered', () => {
    const { clock, ensemble, machine } = setUp();
    machine.start();
    ensemble.handshake({ timeOut: 3000 });
    ensemble.last.cut();
    clock.advance(900);
    ensemble.last.handler.onClose();
    clock.advance(20);
    ensemble.handshake({ timeOut: 3000 });
    for (let second = 0; second < 10; second++) {
      clock.advance(1000);
      ensemble.last.replyTo(-2, 0);
    }
    expect(machine.state).toBe('CONNECTED');
  });

  test('is never assumed before there was a session', () => {
    const { clock, machine } = setUp();
    machine.start();
    clock.advance(1_000_000);
    expect(machine.state).toBe('CONNECTING');
  });

  test('by close: after what was submitted before, refusing what comes after', () => {
    const { clock, ensemble, machine, submit } = setUp();
    machine.start();
    ensemble.handshake();
    submit('before', sync('/'));
    machine.close(() => ensemble.log('done'));
    machine.close(() => ensemble.log('done again'));
    submit('after', sync('/'));
    clock.advance(0);
    ensemble.last.reply(1);
    ensemble.last.reply(2);
    expect(ensemble.take().slice(3)).toEqual([
      '0 send 1 sync /',
      '0 send 2 closeSession',
      '0 after -> SESSION_EXPIRED',
      '0 before -> 0',
      '0 close',
      '0 state CLOSED',
      '0 done',
      '0 done again',
    ]);
  });

  test('by close, when the connection ends first', () => {
    const { ensemble, machine, submit } = setUp();
    machine.start();
    ensemble.handshake();
    submit('before', sync('/'));
    machine.close(() => ensemble.log('done'));
    ensemble.last.cut();
    expect(ensemble.take().slice(5)).toEqual(['0 close', '0 state CLOSED', '0 before -> CONNECTION_LOSS', '0 done']);
    expect(ensemble.connections.length).toBe(1);
  });

  test('by close without a server', () => {
    const { clock, ensemble, machine, submit } = setUp();
    machine.start();
    submit('waits', sync('/'));
    machine.close(() => ensemble.log('done'));
    clock.advance(0);
    expect(ensemble.take()).toEqual(['0 connect 0', '0 close', '0 state CLOSED', '0 waits -> SESSION_EXPIRED', '0 done']);
  });
});

describe('calls', () => {
  test('a call that was not sent can be withdrawn; one that was sent only loses its watch', () => {
    const { ensemble, machine, submit, watcher } = setUp();
    machine.start();
    const waiting = submit('waiting', sync('/'));
    expect(machine.withdraw(waiting)).toBe(true);
    ensemble.handshake();
    const sent = submit('sent', getData('/a'), watcher);
    expect(machine.withdraw(sent)).toBe(false);
    ensemble.last.reply(1, dataOf());
    ensemble.last.event('nodeDeleted', '/a', 2);
    expect(ensemble.take().slice(2)).toEqual(['0 state CONNECTED', '0 send 1 getData /a', '0 sent -> 0']);
  });

  test('an answer out of order ends the connection, and no call gets it', () => {
    const { ensemble, machine, submit } = setUp();
    machine.start();
    ensemble.handshake();
    submit('a', sync('/'));
    submit('b', sync('/'));
    ensemble.take();
    ensemble.last.replyTo(2, 1);
    expect(ensemble.take().filter((line) => line.includes('->'))).toEqual(['0 a -> CONNECTION_LOSS', '0 b -> CONNECTION_LOSS']);
  });

  test('one too many is refused', () => {
    const { clock, ensemble, machine, submit } = setUp({ callsMax: 2 });
    machine.start();
    for (const name of ['a', 'b', 'c']) submit(name, sync('/'));
    clock.advance(0);
    expect(ensemble.take()).toEqual(['0 connect 0', '0 c -> THROTTLED_OP']);
  });

  test('so is what would be too many bytes, unless it is alone; what is answered or withdrawn makes room', () => {
    const { clock, ensemble, machine, submit } = setUp({ callBytesMax: 1_000 });
    machine.start();
    const large = submit('large', sync(`/${'x'.repeat(1_000)}`));
    submit('beside it', sync('/'));
    machine.withdraw(large);
    for (let i = 0; i < 20; i++) submit(`small-${i}`, sync('/'));
    clock.advance(0);
    const refused = ensemble.take().filter((line) => line.endsWith('THROTTLED_OP'));
    expect([refused[0], refused.length]).toEqual(['0 beside it -> THROTTLED_OP', 7]);
    ensemble.handshake({ timeOut: 4000 });
    ensemble.last.replyTo(1, 1);
    submit('after', sync('/'));
    clock.advance(0);
    expect(ensemble.take().some((line) => line.endsWith('after -> THROTTLED_OP'))).toBe(false);
  });
});

test('whatever happens, every call has exactly one outcome, in order, and a sent call is never sent again', () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new SeededRandom(seed);
    const { clock, ensemble, machine, submit } = setUp({ random: new SeededRandom(seed + 1) });
    const pick = (bound: number) => random.uint32() % bound;
    const calls: TracedCall[] = [];
    const withdrawn = new Set<TracedCall>();
    machine.start();
    for (let step = 0; step < 200; step++) {
      const { last } = ensemble;
      switch (pick(9)) {
        case 0:
        case 1:
        case 2:
          calls.push(submit(`call-${calls.length}`, sync(`/${calls.length}`)));
          break;
        case 3:
        case 4:
          if (!last.closed && last.unanswered > 0) last.reply(step);
          break;
        case 5:
          if (!last.closed && machine.state === 'CONNECTING' && last.sent.length === 0) ensemble.handshake();
          break;
        case 6:
          if (pick(4) === 0 && !last.closed) last.cut();
          break;
        case 7: {
          const call = calls[pick(calls.length + 1)];
          if (call !== undefined && call.outcomes === 0 && machine.withdraw(call)) withdrawn.add(call);
          break;
        }
        default:
          clock.advance(pick(300));
      }
    }
    machine.abandon();
    clock.advance(0);
    for (const call of calls) expect(call.outcomes, `seed ${seed}`).toBe(withdrawn.has(call) ? 0 : 1);
    const sends = ensemble.trace.filter((line) => line.includes('sync')).map((line) => Number(line.split('/')[1]));
    expect(sends, `seed ${seed}`).toEqual([...new Set(sends)].sort((a, b) => a - b));
    expect(machine.pending).toBe(0);
  }
});
