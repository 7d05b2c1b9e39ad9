/**
 * A client over TCP: the same one, whether the servers are these or Apache ZooKeeper's. `node … over-tcp.ts HOST:PORT` speaks to a server
 * that runs already.
 */
import { connect, listen } from '@quorate/node';
import { CreateMode, Ensemble } from 'quorate';

const given = process.argv[2];
const ensemble = given === undefined ? await Ensemble.start({ servers: 3 }) : undefined;
const listener = ensemble === undefined ? undefined : await listen(ensemble, { host: '127.0.0.1', port: 0 });
const address = given ?? `127.0.0.1:${listener?.port}`;

const client = await connect(address, { sessionTimeoutMs: 10_000 });
const { path } = await client.create('/hello-', 'over TCP', { mode: CreateMode.EPHEMERAL_SEQUENTIAL });
const { data, stat } = await client.getData(path);
console.log(`${path} holds "${new TextDecoder().decode(data)}" as long as this session lives (ephemeral: ${stat.ephemeralOwner !== 0n})`);

// The server that holds this connection dies; the session goes on at another.
if (ensemble !== undefined) {
  const before = client.sessionId;
  for (const { sid } of ensemble.servers) {
    ensemble.crash(sid);
    await ensemble.ready();
    await client.connected();
    await client.exists(path).catch(() => client.connected());
    ensemble.restart(sid);
    await ensemble.ready({ server: sid });
  }
  console.log(
    `every server has crashed once, one after another: the session is ${client.sessionId === before ? 'the same' : 'another'}, ${path} ${(await client.exists(path)) ? 'is there' : 'is gone'}`,
  );
}

await client.close();
await listener?.close();
await ensemble?.close();
