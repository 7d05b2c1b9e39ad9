/** One server with ports of its own, over the loopback. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectSocket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryNetwork, MemoryStorage, realClock } from 'quorate';
import { afterEach, describe, expect, test } from 'vitest';
import { connect, formatStore, type RunningServer, type ServerConfig, startServer } from '../src/index.js';
import { ask } from './support/ask.ts';
import { freePorts } from './support/free-ports.js';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function started(config: Partial<ServerConfig> = {}): Promise<RunningServer> {
  const server = await startServer({ memory: true, tickTimeMs: 50, client: { port: 0 }, ...config });
  closers.push(() => server.close());
  return server;
}

async function connected(server: RunningServer) {
  const client = await connect(server.clientAddress as string, { sessionTimeoutMs: 1_000 });
  closers.push(() => client.close({ signal: AbortSignal.abort() }).catch(() => {}));
  return client;
}

/** Three servers in this process, each with a port of its own. */
async function ensemble(config: Partial<ServerConfig> = {}): Promise<readonly RunningServer[]> {
  const network = new MemoryNetwork({ clock: realClock });
  const servers = [1, 2, 3].map((sid) => ({ sid, host: '127.0.0.1', quorumPort: 1, electionPort: 1 }));
  const started = await Promise.all(
    servers.map(({ sid }) =>
      startServer({
        sid,
        servers,
        tickTimeMs: 50,
        client: { port: 0 },
        storage: () => new MemoryStorage({ clock: realClock }).format({ ensembleId: 'test' }),
        transport: () => network.transport(sid),
        ...config,
      }),
    ),
  );
  closers.push(() => Promise.all(started.map((server) => server.close())));
  await Promise.all(started.map((server) => server.ready()));
  return started;
}

describe('a server alone', () => {
  test('takes clients, and says where it stands', async () => {
    const server = await started({ sid: 7 });
    await server.ready();
    expect(server.status).toMatchObject({ sid: 7, mode: 'standalone', leader: 7, serving: true });
    const client = await connected(server);
    await client.create('/a', 'x');
    expect((await client.getData('/a')).stat.version).toBe(0);
    expect(server.secureClientAddress).toBeUndefined();
  });

  test('tells its clients by the end of their connections that it closes, and gives its port back', async () => {
    const server = await started();
    const client = await connected(server);
    const address = server.clientAddress as string;
    const lost = new Promise((resolve) => client.onState(resolve));
    await server.close();
    expect(await lost).toBe('CONNECTING');
    expect(await server.ended).toBeUndefined();
    await expect(connect(address, { signal: AbortSignal.timeout(100) })).rejects.toThrow();
    await server.close();
  });

  test('closes when a client does not go, after a while', async () => {
    const server = await started();
    const socket = connectSocket({ port: Number(new URL(`tcp://${server.clientAddress}`).port), host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    socket.on('error', () => {});
    closers.push(() => socket.destroy());
    await server.close();
  });

  test('ends, and says by what, when its store fails', async () => {
    const errors: object[] = [];
    const storage = new MemoryStorage({ clock: realClock }).format({ ensembleId: 'test' });
    storage.append = (_run, done) => realClock.defer(() => done(new Error('the disk is gone')));
    const log = { info() {}, warn() {}, error: (fields: object) => errors.push(fields) };
    const server = await started({ memory: false, storage: () => storage, log });
    await server.ready();
    const client = await connect(server.clientAddress as string, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
    expect(client).toBeUndefined();
    expect((await server.ended)?.message).toBe('the disk is gone');
    expect(errors).toEqual([{ sid: 1, err: expect.objectContaining({ message: 'the disk is gone' }) }]);
    await expect(server.ready()).rejects.toThrow('the disk is gone');
  });
});

describe('a server with a directory', () => {
  function folder(): string {
    const path = mkdtempSync(join(tmpdir(), 'quorate-server-'));
    closers.push(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  test('goes on where it has ended, and says what its files take', async () => {
    const dataDir = folder();
    await formatStore(dataDir, 'test');
    const first = await started({ memory: undefined, dataDir, words: ['*'] });
    const client = await connected(first);
    await client.create('/a', 'kept');
    await client.close();
    expect(Number(/^logdir_size: (\d+)$/m.exec(await ask(first.clientAddress as string, 'dirs'))?.[1])).toBeGreaterThan(0);
    await first.close();
    const second = await started({ memory: undefined, dataDir });
    const again = await connected(second);
    expect(new TextDecoder().decode((await again.getData('/a')).data)).toBe('kept');
    await second.close();
    await expect(formatStore(dataDir, 'test')).rejects.toThrow('only an empty store can be formatted');
  });

  test('does not begin anew by itself where the directory is empty', async () => {
    const dataDir = folder();
    const server = await started({ memory: undefined, dataDir });
    expect((await server.ended)?.message).toContain('is not founded, or was lost: found a new ensemble there by formatStore');
  });

  test('is one of three that speak over TCP', async () => {
    const ports = await freePorts(6);
    const servers = [1, 2, 3].map((sid) => ({
      sid,
      host: '127.0.0.1',
      quorumPort: ports[2 * sid - 2] as number,
      electionPort: ports[2 * sid - 1] as number,
    }));
    const all = await Promise.all(
      servers.map(async ({ sid }) => {
        const dataDir = folder();
        await formatStore(dataDir, 'test');
        return started({ memory: undefined, dataDir, sid, servers, tickTimeMs: 200 });
      }),
    );
    await Promise.all(all.map((server) => server.ready()));
    expect(all.map(({ status }) => status.mode).sort()).toEqual(['follower', 'follower', 'leader']);
    const client = await connected(all[0] as RunningServer);
    await client.create('/a', 'x');
  });
});

test('a server that cannot open its client port gives back the ports for its peers', async () => {
  const [quorumPort = 0, electionPort = 0, otherPort = 0] = await freePorts(3);
  const servers = [1, 2].map((sid) => ({ sid, host: '127.0.0.1', quorumPort: sid === 1 ? quorumPort : otherPort, electionPort }));
  const taken = Number(new URL(`tcp://${(await started()).clientAddress}`).port);
  await expect(startServer({ memory: true, servers, client: { port: taken } })).rejects.toMatchObject({ code: 'PORT_IN_USE', port: taken });
  for (const port of [quorumPort, electionPort]) {
    const again = createServer().listen(port, '127.0.0.1');
    await once(again, 'listening');
    await new Promise((resolve) => again.close(resolve));
  }
});

describe('servers of an ensemble', () => {
  test('say who leads and who follows; the leader that is closed hands over without an election', async () => {
    const servers = await ensemble();
    const leader = servers.find(({ status }) => status.mode === 'leader') as RunningServer;
    const others = servers.filter((server) => server !== leader);
    expect(others.map(({ status }) => status.mode)).toEqual(['follower', 'follower']);
    const client = await connected(others[0] as RunningServer);
    const states: string[] = [];
    client.onState((state) => states.push(state));
    await leader.close();
    await client.create('/a');
    expect(others.map(({ status }) => status.mode).sort()).toEqual(['follower', 'leader']);
    // Had there been an election, the write would have been under way while nobody led.
    expect(states).toEqual([]);
  });
});

describe('options', () => {
  test.each<[unknown, string]>([
    [{}, 'dataDir must be given, a directory for what must survive; or memory: true, to lose everything with the process'],
    [{ memory: true, dataDir: '/x' }, 'dataDir, memory and storage exclude each other: a server has one store'],
    [{ memory: true, sid: 255 }, 'sid must be a whole number from 1 to 254, not 255'],
    [{ memory: true, tickTimeMs: 0 }, 'tickTimeMs must be a whole number from 1 to 60000, not 0'],
    [{ memory: true, readOnlyMode: 'yes' }, 'readOnlyMode must be true or false, not "yes"'],
    [{ memory: true, tickTime: 2000 }, 'tickTime is not an option of a server'],
    [{ memory: true, superDigest: 'root:secret' }, 'superDigest must be a string that starts with super:'],
    [{ memory: true, words: 'srvr' }, "words must be an array, like ['srvr', 'mntr'] or ['*']"],
    [{ memory: true, words: ['kill'] }, 'words must be made of ruok, envi, isro, gtmk, stmk, conf, '],
    [{ memory: true, requestThrottle: { requestsMax: 0 } }, 'requestThrottle.requestsMax must be a number above 0, not 0'],
    [{ memory: true, requestThrottle: { requests: 5 } }, 'requests is not an option of requestThrottle: it has bytesMax, '],
    [
      { memory: true, connectionThrottle: { tokensMax: 5 } },
      'connectionThrottle must be an object with tokensMax and tokensPerSecond, not ',
    ],
    [{ memory: true, connectionThrottle: 5 }, 'connectionThrottle must be an object with tokensMax and tokensPerSecond, not 5'],
    [{ memory: true, servers: [] }, 'servers must be an array with every server of the ensemble, not '],
    [
      { memory: true, servers: [{ sid: 2, host: 'a', quorumPort: 1, electionPort: 2 }] },
      'servers: server 1, which is this one, is missing',
    ],
    [
      { memory: true, servers: [{ sid: 1, host: '', quorumPort: 1, electionPort: 2 }] },
      'servers: host of server 1 must be an address or a name, not ""',
    ],
    [{ memory: true, admin: { port: -1 } }, 'admin.port must be a whole number from 0 to 65535, not -1'],
    [{ memory: true, client: { port: 70_000 } }, 'port must be a whole number from 0 to 65535, not 70000'],
  ])('%j is refused by its rule', async (config, message) => {
    await expect(startServer(config as ServerConfig)).rejects.toThrow(message);
  });
});
