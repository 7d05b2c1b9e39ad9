/** Over real sockets on the loopback: our own client, streams that are none, and servers that crash. */
import { once } from 'node:events';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { decodeConnectResponse, encodeClientMessage, encodeConnectRequest, FrameSplitter, NO_ZXID, OpCode } from '@quorate/protocol';
import { CreateMode, Ensemble, isZooKeeperError, Permission } from 'quorate';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, ListenError, type Listener, type ListenOptions, listen, tcpConnector } from '../src/index.js';

let ensemble: Ensemble;
let listener: Listener;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  ensemble = await Ensemble.start();
  listener = await listen(ensemble, { port: 0 });
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await listener.close();
  await ensemble.close();
});

async function connected() {
  const client = await connect(listener.address);
  closers.push(() => client.close());
  return client;
}

/** A socket that is connected to the listener, and all that comes from it. */
async function rawSocket(to: Listener = listener) {
  const socket = connectSocket(to.port, to.host);
  const splitter = new FrameSplitter();
  socket.on('data', (chunk) => splitter.push(chunk));
  socket.on('error', () => {});
  closers.push(() => socket.destroy());
  await once(socket, 'connect');
  return { socket, splitter, closed: new Promise<void>((resolve) => socket.once('close', () => resolve())) };
}

const NEW_SESSION = {
  kind: 'connect',
  protocolVersion: 0,
  lastZxidSeen: NO_ZXID,
  timeOut: 10_000,
  sessionId: 0n,
  passwd: new Uint8Array(16),
  readOnly: false,
} as const;

const connectFrame = () => encodeConnectRequest(NEW_SESSION);

async function nextFrame(socket: Socket, splitter: FrameSplitter): Promise<Uint8Array> {
  for (;;) {
    const frame = splitter.next();
    if (frame !== undefined) return frame;
    await once(socket, 'data');
  }
}

describe('our client over TCP', () => {
  test('makes containers and znodes with a TTL, reads several at once, and is told who it is', async () => {
    const client = await connected();
    const results = await client.multi([
      { op: 'create', path: '/c', data: 'x', mode: CreateMode.CONTAINER },
      { op: 'create', path: '/c/t-', mode: CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, ttlMs: 60_000 },
    ]);
    expect(results).toEqual([
      { op: 'create', path: '/c' },
      { op: 'create', path: '/c/t-0000000000' },
    ]);
    expect((await client.create('/d', '', { mode: CreateMode.CONTAINER })).path).toBe('/d');
    expect((await client.create('/t', '', { mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 60_000 })).stat).toMatchObject({
      ephemeralOwner: 0n,
    });
    const [data, none, children] = await client.multiRead([
      { op: 'getData', path: '/c' },
      { op: 'getChildren', path: '/none' },
      { op: 'getChildren', path: '/c' },
    ]);
    expect(data).toMatchObject({ op: 'getData', data: new Uint8Array([120]), stat: { numChildren: 1 } });
    expect(none).toMatchObject({ op: 'getChildren', error: { code: 'NO_NODE', path: '/none', operation: 'getChildren' } });
    expect(children).toEqual({ op: 'getChildren', children: ['t-0000000000'] });
    await client.addAuth('digest', 'ann:pw');
    await client.addAuth('ip', '');
    expect(await client.whoAmI()).toEqual([
      { scheme: 'ip', id: '127.0.0.1' },
      { scheme: 'digest', id: 'ann' },
    ]);
    await client.create('/e', '', { mode: CreateMode.EPHEMERAL });
    expect(await client.getEphemerals()).toEqual(['/e']);
    expect(await client.getAllChildrenNumber('/c')).toBe(1);
  });

  test('is let through by its address, and in one process nobody is', async () => {
    const client = await connected();
    const acl = (id: string) => [{ perms: Permission.ALL, id: { scheme: 'ip', id } }];
    await client.create('/here', '', { acl: acl('127.0.0.0/8') });
    await client.create('/elsewhere', '', { acl: acl('10.0.0.1') });
    expect(await client.getChildren('/here')).toMatchObject({ children: [] });
    await expect(client.getData('/elsewhere')).rejects.toMatchObject({ code: 'NO_AUTH' });
    await expect(client.create('/x', '', { acl: acl('127.0.0.1/33') })).rejects.toMatchObject({ code: 'INVALID_ACL' });
    const within = await ensemble.connect();
    await within.sync();
    await expect(within.getData('/here')).rejects.toMatchObject({ code: 'NO_AUTH' });
    await expect(within.addAuth('ip', '127.0.0.1')).rejects.toMatchObject({ code: 'AUTH_FAILED' });
  });

  test('does everything, and sees a watch before what it tells of', async () => {
    const a = await connected();
    const b = await connected();
    const events: string[] = [];
    expect((await a.create('/n-', 'ü', { mode: CreateMode.PERSISTENT_SEQUENTIAL })).path).toBe('/n-0000000000');
    await b.sync();
    const { data, stat } = await b.getData('/n-0000000000', { watch: (event) => events.push(`${event.type} ${event.path}`) });
    expect([Buffer.from(data).toString(), stat.version]).toEqual(['ü', 0]);
    await a.setData('/n-0000000000', new Uint8Array([0, 255]));
    await b.sync();
    expect(events).toEqual(['NODE_DATA_CHANGED /n-0000000000']);
    expect((await b.getData('/n-0000000000')).data).toEqual(new Uint8Array([0, 255]));
    expect((await a.getChildren('/')).children.sort()).toEqual(['n-0000000000', 'zookeeper']);
    expect(await a.exists('/none')).toBeUndefined();
    const [created, set] = await a.multi([
      { op: 'create', path: '/m', data: 'x' },
      { op: 'setData', path: '/m', data: 'y' },
    ]);
    expect([created.path, set.stat.version]).toEqual(['/m', 1]);
    const refused = await a
      .multi([
        { op: 'create', path: '/q' },
        { op: 'check', path: '/m', version: 7 },
      ])
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'BAD_VERSION', index: 1 });
    await a.addAuth('digest', 'user:secret');
    await a.setACL('/m', [{ perms: 31, id: { scheme: 'auth', id: '' } }]);
    expect(isZooKeeperError(await b.getData('/m').catch((error: unknown) => error), 'NO_AUTH')).toBe(true);
    await a.delete('/m', { version: 1 });
  });

  test('ends its session by close: its ephemerals go', async () => {
    const a = await connect(listener.address);
    const b = await connected();
    await a.create('/e', '', { mode: CreateMode.EPHEMERAL });
    await b.sync();
    const gone = new Promise((resolve) => void b.exists('/e', { watch: resolve }));
    await a.close();
    expect(await gone).toMatchObject({ type: 'NODE_DELETED', path: '/e' });
  });

  test('ten thousand requests at once, and large data', async () => {
    const client = await connected();
    await client.create('/n');
    const stats = await Promise.all(Array.from({ length: 10_000 }, () => client.setData('/n', 'x')));
    expect(stats.map((stat) => stat.version)).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
    const large = new Uint8Array(1_000_000).map((_, index) => index);
    await client.setData('/n', large);
    const reads = await Promise.all(Array.from({ length: 20 }, () => client.getData('/n')));
    for (const { data } of reads) expect(Buffer.compare(data, large)).toBe(0);
  });

  test('survives the crash of the server that holds its connection, session and watches included', async () => {
    const client = await connected();
    const { sessionId } = client;
    await client.create('/e', '', { mode: CreateMode.EPHEMERAL });
    const states: string[] = [];
    client.onState((state) => states.push(state));
    const changed = new Promise((resolve) => void client.getData('/e', { watch: resolve }));
    await client.sync();
    // One of the three holds the connection; whichever it is, it goes.
    for (const sid of [1, 2, 3]) {
      ensemble.crash(sid);
      if (sid < 3) {
        ensemble.restart(sid);
        await ensemble.ready({ server: sid });
      }
    }
    await ensemble.ready();
    await client.connected();
    for (;;) {
      try {
        await client.setData('/e', 'still here');
        break;
      } catch (error) {
        if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
        await client.connected();
      }
    }
    expect(await changed).toMatchObject({ type: 'NODE_DATA_CHANGED' });
    expect(client.sessionId).toBe(sessionId);
    expect(states).toContain('CONNECTING');
  });

  test('goes on to the next server of its connect string', async () => {
    const dead = await listen(ensemble, { port: 0 });
    const { port } = dead;
    await dead.close();
    const client = await connect(`127.0.0.1:${port},${listener.address}`);
    closers.push(() => client.close());
    expect(await client.exists('/zookeeper')).toBeDefined();
  });
});

describe('a stream that is none of ours closes its own connection and no other', () => {
  const frame = (length: number, ...body: number[]) => {
    const bytes = Buffer.alloc(4 + body.length);
    bytes.writeInt32BE(length);
    bytes.set(body, 4);
    return bytes;
  };

  test.each([
    ['a negative length', frame(-1)],
    ['a length beyond the limit', frame(0x100000)],
    ['a four-letter word', Buffer.from('ruok')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a first frame that is no ConnectRequest', frame(3, 1, 2, 3)],
    ['an empty first frame', frame(0)],
    ['a frame too short for a header, after a handshake', Buffer.concat([connectFrame(), frame(3, 1, 2, 3)])],
    ['a negative length after a handshake', Buffer.concat([connectFrame(), frame(-5)])],
    ['a second handshake', Buffer.concat([connectFrame(), connectFrame()])],
  ])('%s', async (_name, bytes) => {
    const client = await connected();
    const { socket, closed } = await rawSocket();
    socket.write(bytes);
    await closed;
    expect(await client.exists('/')).toBeDefined();
    expect(client.state).toBe('CONNECTED');
  });

  test('a body that cannot be read is answered, and the connection goes on', async () => {
    const { socket, splitter } = await rawSocket();
    socket.write(Buffer.concat([connectFrame(), frame(12, 0, 0, 0, 7, 0, 0, 0, OpCode.getData, 0xff, 0xff, 0xff, 0xf0)]));
    await nextFrame(socket, splitter);
    const reply = Buffer.from(await nextFrame(socket, splitter));
    expect([reply.readInt32BE(0), reply.readInt32BE(12)]).toEqual([7, -5]);
    socket.write(encodeClientMessage({ kind: 'request', xid: 8, request: { type: OpCode.sync, path: '/' } }));
    const next = Buffer.from(await nextFrame(socket, splitter));
    expect([next.readInt32BE(0), next.readInt32BE(12)]).toEqual([8, 0]);
  });

  test('an old client gets an answer without the byte that it does not know', async () => {
    const { socket, splitter } = await rawSocket();
    const old = connectFrame().slice(0, -1);
    new DataView(old.buffer, old.byteOffset).setInt32(0, old.length - 4);
    // Byte by byte: a frame is a frame however it comes.
    for (const byte of old) socket.write(new Uint8Array([byte]));
    expect((await nextFrame(socket, splitter)).length).toBe(36);
  });
});

describe('limits', () => {
  async function listening(options: ListenOptions) {
    const own = await listen(ensemble, { port: 0, ...options });
    closers.push(() => own.close());
    return own;
  }

  test('who does not introduce itself is disconnected', async () => {
    const own = await listening({ handshakeTimeoutMs: 20 });
    const { socket, closed } = await rawSocket(own);
    socket.write(connectFrame().subarray(0, 10));
    await closed;
  });

  test('who claims more than a handshake can have is disconnected', async () => {
    const { socket, closed } = await rawSocket();
    socket.write(Buffer.from([0, 0, 4, 1]));
    await closed;
  });

  /** A session whose client has asked for a hundred megabytes and reads nothing. */
  async function deaf(to: Listener, timeOut: number) {
    const { socket, splitter, closed } = await rawSocket(to);
    socket.write(encodeConnectRequest({ ...NEW_SESSION, timeOut }));
    const { sessionId, passwd } = decodeConnectResponse(await nextFrame(socket, splitter));
    socket.pause();
    const request = encodeClientMessage({ kind: 'request', xid: 1, request: { type: OpCode.getData, path: '/large', watch: false } });
    socket.write(Buffer.concat(Array.from({ length: 100 }, () => request)));
    // A socket that is not read hears of its end when it writes.
    const timer = setInterval(() => socket.write(request), 20);
    closers.push(() => clearInterval(timer));
    return { sessionId, passwd, closed };
  }

  test('who reads nothing is disconnected after a third of its timeout or two, and its session goes on', async () => {
    const writer = await connected();
    await writer.create('/large', new Uint8Array(1_000_000));
    await writer.sync();
    const { sessionId, passwd, closed } = await deaf(listener, 6_000);
    await closed;
    const { socket, splitter } = await rawSocket();
    socket.write(encodeConnectRequest({ ...NEW_SESSION, sessionId, passwd: Uint8Array.from(passwd) }));
    expect(decodeConnectResponse(await nextFrame(socket, splitter)).sessionId).toBe(sessionId);
  });

  test('what waits for all clients together is bounded: who has not read for longest is disconnected', async () => {
    const writer = await connected();
    await writer.create('/large', new Uint8Array(1_000_000));
    await writer.sync();
    const own = await listening({ linksBytesMax: 1_500_000 });
    const first = await deaf(own, 60_000);
    const second = await deaf(own, 60_000);
    await first.closed;
    expect(await Promise.race([second.closed.then(() => 'closed'), new Promise((resolve) => setImmediate(() => resolve('open')))])).toBe(
      'open',
    );
  });

  test('who does not read is not read from: the answers wait in no more than a pause is late by', async () => {
    const writer = await connected();
    await writer.create('/large', new Uint8Array(1_000_000));
    await writer.sync();
    const { socket, splitter } = await rawSocket();
    socket.write(connectFrame());
    await nextFrame(socket, splitter);
    socket.pause();
    const request = (xid: number) =>
      encodeClientMessage({ kind: 'request', xid, request: { type: OpCode.getData, path: '/large', watch: false } });
    socket.write(Buffer.concat(Array.from({ length: 200 }, (_, index) => request(index + 1))));
    // 200 MB of answers are asked for; more than 64 MiB at once would have ended the connection.
    await writer.sync();
    socket.resume();
    for (let xid = 1; xid <= 200; xid++) expect(Buffer.from(await nextFrame(socket, splitter)).readInt32BE(0)).toBe(xid);
  });

  test('who does not read while much comes unasked is disconnected', async () => {
    const own = await listening({ outboxBytesMax: 1000 });
    const { socket, closed } = await rawSocket(own);
    const writer = await connected();
    await writer.create('/large', new Uint8Array(100_000));
    await writer.sync();
    socket.write(connectFrame());
    socket.write(encodeClientMessage({ kind: 'request', xid: 1, request: { type: OpCode.getData, path: '/large', watch: false } }));
    await closed;
  });

  test('an event for many clients is written in turns, between which others are heard', async () => {
    const watchers = await Promise.all(Array.from({ length: 1_000 }, () => rawSocket()));
    const frames = await Promise.all(
      watchers.map(async ({ socket, splitter }) => {
        const watch = { type: OpCode.exists, path: '/n', watch: true } as const;
        socket.write(Buffer.concat([connectFrame(), encodeClientMessage({ kind: 'request', xid: 1, request: watch })]));
        await nextFrame(socket, splitter);
        await nextFrame(socket, splitter);
        return () => nextFrame(socket, splitter);
      }),
    );
    const client = await connected();
    await client.create('/n');
    const events = await Promise.all(frames.map((next) => next()));
    const path = Buffer.from(events[0]!).subarray(-2).toString();
    expect([path, new Set(events.map((event) => Buffer.from(event).toString('hex'))).size]).toEqual(['/n', 1]);
  });

  test('one connection of an address too many, until one of them ends', async () => {
    const own = await listening({ connectionsPerAddressMax: 1 });
    const first = await rawSocket(own);
    first.socket.write(connectFrame());
    await nextFrame(first.socket, first.splitter);
    const { closed } = await rawSocket(own);
    await closed;
    expect(own.connectionCount).toBe(1);
    first.socket.destroy();
    while (own.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve));
    const again = await rawSocket(own);
    again.socket.write(connectFrame());
    await nextFrame(again.socket, again.splitter);
  });

  test('one connection too many', async () => {
    const own = await listening({ connectionsMax: 1 });
    const first = await rawSocket(own);
    first.socket.write(connectFrame());
    await nextFrame(first.socket, first.splitter);
    const { closed } = await rawSocket(own);
    await closed;
    expect(own.connectionCount).toBe(1);
  });
});

describe('a listener', () => {
  test('that finds its port in use says which, and how to choose another', async () => {
    const error = await listen(ensemble, { port: listener.port }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({
      code: 'PORT_IN_USE',
      port: listener.port,
      message: `port ${listener.port} of 127.0.0.1 is in use: choose another, or 0 for any that is free`,
    });
  });

  test.each([
    [{ port: -1 }, /port must be a whole number from 0 to 65535, not -1/],
    [{ port: 70_000 }, /65535/],
    [{ host: '' }, /host/],
    [{ handshakeTimeoutMs: 0 }, /handshakeTimeoutMs/],
    [{ connectionsMax: 1.5 }, /connectionsMax/],
    [{ connectionsPerAddressMax: 0 }, /connectionsPerAddressMax/],
  ])('refuses %o', async (options, message) => {
    await expect(listen(ensemble, options)).rejects.toThrow(message);
  });

  test('that is on an address of another machine', async () => {
    await expect(listen(ensemble, { host: '203.0.113.1', port: 0 })).rejects.toMatchObject({ code: 'ADDRESS_NOT_HERE' });
  });

  test('that closes cuts its connections and gives the port back', async () => {
    const client = await connected();
    const cut = new Promise((resolve) => client.onState(resolve));
    await listener.close();
    expect(listener.connectionCount).toBe(0);
    expect(await cut).toBe('CONNECTING');
    const again = await listen(ensemble, { port: listener.port });
    closers.push(() => again.close());
    await client.connected();
    expect(await client.exists('/')).toBeDefined();
  });

  test('tells the server when a client is gone', async () => {
    const gone = new Promise<void>((resolve) => {
      const own = listen({ accept: () => ({ receive() {}, heard() {}, closed: resolve }) }, { port: 0 });
      closers.push(async () => (await own).close());
      void own.then(rawSocket).then(({ socket }) => socket.write(connectFrame(), () => socket.end()));
    });
    await gone;
  });

  test('of an ensemble without a server that is up closes connections at once', async () => {
    for (const sid of [1, 2, 3]) ensemble.crash(sid);
    const { socket, closed } = await rawSocket();
    socket.write(connectFrame());
    await closed;
  });
});

describe('a connect string', () => {
  test.each([
    ['host:0', /1 to 65535/],
    ['host/app/', /must not end with/],
  ])('%j is refused', (text, message) => {
    expect(() => tcpConnector(text)).toThrow(message);
  });

  test('has options, whose rules are kept before anything is opened', () => {
    expect(() => tcpConnector('a', { responseBytesMax: -1 })).toThrow(
      /responseBytesMax must be a whole number from 1 to 2147483647, not -1/,
    );
    expect(() => tcpConnector('a', { tls: true as never })).toThrow(/tls must be an object like \{ ca \}, not true/);
    expect(() => tcpConnector('a', { tls: { key: 'junk' } })).toThrow(/tls must be \{ ca, key, cert, passphrase \} with PEM: /);
  });

  test('names its servers', () => {
    expect(tcpConnector('a, b:1234,[::1]:2181').servers).toBe(3);
  });
});

test('a server that speaks something else is given up, and another one tried', async () => {
  const odd = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  odd.listen(0, '127.0.0.1');
  await once(odd, 'listening');
  closers.push(() => odd.close());
  const { port } = odd.address() as { port: number };
  const client = await connect(`127.0.0.1:${port},${listener.address}`, { firstServer: 0 });
  closers.push(() => client.close());
  expect(client.state).toBe('CONNECTED');
});

describe('a connect string with a chroot', () => {
  test('has the client see it as the root, and a client of another kind the same znodes', async () => {
    const plain = await connected();
    await plain.create('/app');
    const client = await connect(`${listener.address}/app`);
    closers.push(() => client.close());
    const changed = new Promise((resolve) => void client.exists('/config', { watch: ({ path }) => resolve(path) }));
    const { path } = await client.create('/config', 'x', { mode: CreateMode.EPHEMERAL });
    expect([path, await changed, await client.getEphemerals()]).toEqual(['/config', '/config', ['/config']]);
    expect(await plain.getEphemerals()).toEqual([]);
    expect((await plain.getData('/app/config')).data).toEqual(new Uint8Array([120]));
  });

  test('that does not exist is created by its own client', async () => {
    const client = await connect(`${listener.address}/app`);
    closers.push(() => client.close());
    await expect(client.create('/config')).rejects.toThrow('create /config: NO_NODE, the chroot /app does not exist: create it first');
    expect((await client.create('/')).path).toBe('/');
    expect((await client.create('/config')).path).toBe('/config');
  });
});
