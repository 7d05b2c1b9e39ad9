/** Over WebSocket: peers under `framed`, our client as in a browser, and who is not let in. */
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { Client, type WebSocketConstructor, websocketConnector } from '@quorate/client';
import { realClock, realRandom } from '@quorate/ports';
import type { Transport } from '@quorate/server';
import { transportSuite } from '@quorate/testkit';
import { framed, type Sid, type WireViolation } from '@quorate/zab';
import { Ensemble } from 'quorate';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Listener, listenWebSocket, type PeerTls, startServer, type WebsocketListenOptions, websocketPeers } from '../src/index.js';
import { Authority } from './support/certificates.js';
import { freePorts } from './support/free-ports.js';
import { PeerWorld, until, VOTERS } from './support/peer-world.js';
import { live, ServerTrio } from './support/server-trio.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const violations: WireViolation[] = [];

/** The maker of the transports of servers 1 to 3. */
async function peers(tls?: ReadonlyMap<Sid, PeerTls>): Promise<(sid: Sid) => Promise<Transport>> {
  const ports = await freePorts(VOTERS.length);
  const scheme = tls === undefined ? 'ws' : 'wss';
  const servers = new Map(VOTERS.map((sid, i) => [sid, `${scheme}://127.0.0.1:${ports[i]}/`]));
  return async (sid) =>
    framed(await websocketPeers({ sid, servers, tls: tls?.get(sid) }), {
      ...{ sid, ensembleId: 'test', clock: realClock, random: realRandom },
      onViolation: (violation) => violations.push(violation),
    });
}

describe('peers keep the contract of Transport', () => {
  describe('without TLS', () => transportSuite({ test, world: async () => PeerWorld.over(await peers()) }));

  describe('under TLS', () =>
    transportSuite({
      test,
      world: async () => {
        const authority = await Authority.found('the ensemble');
        const tls = new Map<Sid, PeerTls>();
        for (const sid of VOTERS) tls.set(sid, await authority.issue('127.0.0.1'));
        return PeerWorld.over(await peers(tls));
      },
    }));

  test('and none of this was a violation', () => {
    expect(violations).toEqual([]);
  });
});

test('three servers elect, write, lose their leader and go on', async () => {
  const trio = await ServerTrio.start(await peers());
  closers.push(() => trio.close());
  await live(trio);
});

test('a peer whose certificate another authority has signed is not let in', async () => {
  const [authority, other] = [await Authority.found('the ensemble'), await Authority.found('another')];
  const make = await peers(new Map([[1, await other.issue('127.0.0.1')] as const, [2, await authority.issue('127.0.0.1')] as const]));
  const [one, two] = [await make(1), await make(2)];
  closers.push(
    () => one.stop(),
    () => two.stop(),
  );
  const heard: string[] = [];
  const handler = { onMessage: () => heard.push('message'), onClose: () => heard.push('closed') };
  for (const transport of [one, two]) transport.start({ onNotification: () => heard.push('round'), onChannel: () => handler });
  one.open(2, handler).send({ type: 'SYNC', tag: 1 });
  two.open(1, handler).send({ type: 'SYNC', tag: 1 });
  await until(() => heard.length >= 2);
  expect(heard).toEqual(['closed', 'closed']);
});

test('peers are not made to believe whoever connects, and a URL has to fit', async () => {
  await expect(websocketPeers({ sid: 1, servers: new Map([[1, 'ws://10.0.0.1:1/']]) })).rejects.toThrow('insecurePeers');
  await expect(websocketPeers({ sid: 1, servers: new Map([[1, 'wss://127.0.0.1:1/']]) })).rejects.toThrow('ws://');
  await expect(websocketPeers({ sid: 1, servers: new Map() })).rejects.toThrow('name it in servers');
});

async function served(options: Partial<WebsocketListenOptions> = {}): Promise<Listener> {
  const ensemble = await Ensemble.start({ servers: 1 });
  const listener = await listenWebSocket(ensemble, { port: 0, ...options });
  closers.push(async () => {
    await listener.close();
    await ensemble.close();
  });
  return listener;
}

/** A browser's WebSocket names the origin of its page. */
function withOrigin(origin: string): WebSocketConstructor {
  return class extends WebSocket {
    constructor(url: string) {
      super(url, { origin });
    }
  };
}

async function client(listener: Listener, constructor: WebSocketConstructor = WebSocket): Promise<Client> {
  const connector = websocketConnector([`ws://${listener.address}/`], { WebSocket: constructor });
  const made = await Client.connect({ connector, signal: AbortSignal.timeout(2_000) });
  closers.push(() => made.close());
  return made;
}

/** The status by which the page of an origin is turned away. */
function refusal(listener: Listener, origin: string): Promise<number | undefined> {
  const webSocket = new WebSocket(`ws://${listener.address}/`, { origin });
  webSocket.on('error', () => {});
  return new Promise((resolve) => webSocket.once('unexpected-response', (_, { statusCode }) => resolve(statusCode)));
}

/** How a socket that says something ends. */
function endOf(webSocket: WebSocket, say: (webSocket: WebSocket) => void = () => {}): Promise<number> {
  webSocket.on('error', () => {});
  webSocket.once('open', () => say(webSocket));
  return new Promise((resolve) => webSocket.once('close', resolve));
}

describe('a client', () => {
  test('reads, writes and watches', async () => {
    const listener = await served();
    const [one, two] = [await client(listener), await client(listener)];
    await one.create('/a', new Uint8Array(900_000).fill(7));
    expect(Buffer.compare((await two.getData('/a')).data, new Uint8Array(900_000).fill(7))).toBe(0);
    const changed = new Promise((resolve) => void two.getData('/a', { watch: resolve }));
    await two.sync('/');
    await one.setData('/a', 'x');
    expect(await changed).toMatchObject({ type: 'NODE_DATA_CHANGED', path: '/a' });
    expect((await one.whoAmI()).map(({ scheme, id }) => `${scheme}:${id}`)).toEqual(['ip:127.0.0.1']);
  });

  test('of a page is taken where its origin is named, and not else', async () => {
    const [closed, open, all] = [await served(), await served({ origins: ['https://app.example'] }), await served({ origins: ['*'] })];
    const page = withOrigin('https://app.example');
    await (await client(open, page)).create('/page', '');
    await (await client(all, page)).create('/page', '');
    expect(await refusal(closed, 'https://app.example')).toBe(403);
    expect(await refusal(open, 'https://app.example.evil.example')).toBe(403);
    expect(await refusal(open, 'http://app.example')).toBe(403);
  });

  test('is told of a URL that is none, and of a platform without WebSocket', () => {
    expect(() => websocketConnector(['http://a'], { WebSocket })).toThrow('wss://');
    expect(() => websocketConnector([], { WebSocket })).toThrow(TypeError);
    if (typeof globalThis.WebSocket === 'undefined') expect(() => websocketConnector(['ws://a'])).toThrow('the package ws');
  });
});

test('a server of its own has a port for WebSocket, and gives it back', async () => {
  const server = await startServer({ memory: true, tickTimeMs: 50, client: false, webSocket: { port: 0 } });
  closers.push(() => server.close());
  await server.ready();
  const url = `ws://${server.webSocketAddress}/`;
  const connector = websocketConnector([url], { WebSocket });
  const one = await Client.connect({ connector, signal: AbortSignal.timeout(5_000) });
  await one.create('/a', '');
  await server.close();
  await one.close({ signal: AbortSignal.timeout(10) }).catch(() => {});
  await endOf(new WebSocket(url));
});

describe('a listener cuts off', () => {
  test('text, messages that are too long, and bytes that are no frames', async () => {
    const { address } = await served();
    const url = `ws://${address}/`;
    await endOf(new WebSocket(url), (socket) => socket.send('text'));
    expect(await endOf(new WebSocket(url), (socket) => socket.send(new Uint8Array(1024 * 1024 + 5)))).toBe(1009);
    await endOf(new WebSocket(url), (socket) => socket.send(new Uint8Array(64).fill(0xff)));
  });

  test('who does not introduce itself, by HTTP or by ZooKeeper’s handshake', async () => {
    const listener = await served({ handshakeTimeoutMs: 200 });
    await endOf(new WebSocket(`ws://${listener.address}/`));
    const silent = connectSocket(listener.port, listener.host);
    silent.on('error', () => {});
    await once(silent.resume(), 'close');
    expect(listener.connectionCount).toBe(0);
  });

  test('connections of one address beyond their number, and tells a browser what the port is', async () => {
    const listener = await served({ connectionsMax: 1 });
    expect((await fetch(`http://${listener.address}/`)).status).toBe(426);
    await until(() => listener.connectionCount === 0);
    await client(listener);
    await endOf(new WebSocket(`ws://${listener.address}/`));
  });

  test('nobody silently: options that break their rules are errors', async () => {
    await expect(served({ origins: ['app.example'] })).rejects.toThrow('origins');
    await expect(served({ port: 70_000 })).rejects.toThrow('port');
  });
});
