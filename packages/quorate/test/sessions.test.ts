/** Local sessions and read-only servers, as an application uses them. */
import { afterEach, describe, expect, test } from 'vitest';
import { type ClientState, CreateMode, Ensemble, type EnsembleOptions, type Sid, WatcherType } from '../src/index.js';

const ensembles: Ensemble[] = [];

afterEach(async () => {
  await Promise.all(ensembles.splice(0).map((ensemble) => ensemble.close()));
});

async function start(options?: EnsembleOptions): Promise<Ensemble> {
  const ensemble = await Ensemble.start({ tickTimeMs: 10, ...options });
  ensembles.push(ensemble);
  await Promise.all(ensemble.servers.map(({ sid }) => ensemble.ready({ server: sid })));
  return ensemble;
}

function follower(ensemble: Ensemble): Sid {
  return ensemble.servers.find(({ sid }) => sid !== ensemble.leader)?.sid as Sid;
}

async function untilReadOnly(ensemble: Ensemble, readOnly: boolean): Promise<void> {
  for await (const info of ensemble.changes) if (info.readOnly === readOnly) return;
}

async function untilState(states: AsyncIterable<ClientState>, wanted: ClientState): Promise<void> {
  for await (const state of states) if (state === wanted) return;
}

describe('local sessions', () => {
  test('write without being known, and are upgraded by an ephemeral', async () => {
    const ensemble = await start({ localSessions: true, localSessionsUpgrading: true });
    const client = await ensemble.connect({ server: follower(ensemble) });
    const { sessionId } = client;
    await client.create('/kept');
    // A txn for the znode and none for the session.
    expect(Number((await client.exists('/kept'))?.czxid) % 2 ** 32).toBe(1);
    await client.create('/mine', '', { mode: CreateMode.EPHEMERAL });
    expect(await client.getEphemerals()).toEqual(['/mine']);
    expect((await client.exists('/mine'))?.ephemeralOwner).toBe(sessionId);
    const other = await ensemble.connect();
    const gone = new Promise((resolve) => other.exists('/mine', { watch: resolve }));
    expect(ensemble.expireSession(sessionId)).toBe(true);
    await gone;
    await untilState(client.states, 'EXPIRED');
  });

  test('own no ephemeral where they may not be upgraded, and end with their server', async () => {
    const ensemble = await start({ localSessions: true });
    const server = follower(ensemble);
    const client = await ensemble.connect({ server });
    await expect(client.create('/mine', '', { mode: CreateMode.EPHEMERAL })).rejects.toMatchObject({ code: 'EPHEMERAL_ON_LOCAL_SESSION' });
    ensemble.crash(server);
    await untilState(client.states, 'EXPIRED');
    const next = await ensemble.connect();
    expect(ensemble.expireSession(next)).toBe(true);
    await untilState(next.states, 'EXPIRED');
  });
});

describe('a server that finds no leader', () => {
  test('answers the reads of those who put up with it, until they find one that takes writes', async () => {
    const ensemble = await start({ readOnlyMode: true });
    const writer = await ensemble.connect({ server: ensemble.leader as Sid });
    await writer.create('/config', 'old');
    const alone = follower(ensemble);
    const client = await ensemble.connect({ server: alone, canBeReadOnly: true });
    await client.sync();
    const { sessionId } = client;
    const others = ensemble.servers.map(({ sid }) => sid).filter((sid) => sid !== alone);
    const readOnly = untilReadOnly(ensemble, true);
    // The other servers are out of the client's reach.
    for (const sid of others) ensemble.crash(sid);
    await readOnly;
    await untilState(client.states, 'CONNECTED_READ_ONLY');
    expect(new TextDecoder().decode((await client.getData('/config')).data)).toBe('old');
    await expect(client.setData('/config', 'new')).rejects.toMatchObject({ code: 'NOT_READ_ONLY' });
    await expect(client.sync()).rejects.toMatchObject({ code: 'NOT_READ_ONLY' });
    const changed = new Promise((resolve) => client.getData('/config', { watch: resolve }));
    const writes = untilState(client.states, 'CONNECTED');
    for (const sid of others) ensemble.restart(sid);
    await writes;
    expect(client.sessionId).toBe(sessionId);
    await client.setData('/config', 'new');
    await changed;
  });

  test('waits with the others where it was not told to', async () => {
    const ensemble = await start();
    const alone = follower(ensemble);
    for (const { sid } of ensemble.servers) if (sid !== alone) ensemble.crash(sid);
    const signal = AbortSignal.timeout(300);
    await expect(ensemble.connect({ server: alone, canBeReadOnly: true, signal })).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(ensemble.servers.some(({ readOnly }) => readOnly)).toBe(false);
  });
});

test('checkWatches tells whether the server has watches of this client', async () => {
  const ensemble = await start();
  const [client, other] = [await ensemble.connect(), await ensemble.connect()];
  await client.exists('/a', { watch: () => {} });
  expect(await client.checkWatches('/a')).toBe(true);
  expect(await client.checkWatches('/a', { type: WatcherType.data })).toBe(true);
  expect(await client.checkWatches('/a', { type: WatcherType.children })).toBe(false);
  expect(await client.checkWatches('/b')).toBe(false);
  expect(await other.checkWatches('/a')).toBe(false);
  await expect(client.checkWatches('a')).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
});
