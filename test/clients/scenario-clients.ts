/** The clients of this language that scenario.txt is run by. */
import { connect } from '@quorate/node';
import zookeeper, { type Event, type Stat } from 'node-zookeeper-client';
import { type Client, CreateMode } from 'quorate';
import type { ScenarioAcl, ScenarioClient, ScenarioOperation, Watch } from './scenario.ts';

const TTL_MS = 60_000;

/** Ours. */
export async function openOurs(servers: string): Promise<ScenarioClient> {
  const client = await connect(servers);
  return {
    async create(path, data, mode, acl) {
      const flag = CreateMode[mode.toUpperCase() as keyof typeof CreateMode];
      const ttl = flag === CreateMode.PERSISTENT_WITH_TTL ? { ttlMs: TTL_MS } : {};
      return (await client.create(path, data, { mode: flag, ...ttl, ...(acl !== undefined && { acl: [entryOf(acl)] }) })).path;
    },
    async get(path, watch) {
      const { data, stat } = await client.getData(path, { watch: ourWatch(watch) });
      return { data: new TextDecoder().decode(data), version: stat.version };
    },
    set: (path, data, version) => client.setData(path, data, { version }),
    delete: (path, version) => client.delete(path, { version }),
    exists: (path, watch) => client.exists(path, { watch: ourWatch(watch) }),
    children: async (path, watch) => (await client.getChildren(path, { watch: ourWatch(watch) })).children,
    async acl(path) {
      const [entry] = (await client.getACL(path)).acl;
      return { perms: entry?.perms ?? 0, scheme: entry?.id.scheme ?? '', id: entry?.id.id ?? '' };
    },
    setAcl: (path, acl, version) => client.setACL(path, [entryOf(acl)], { version }),
    auth: (scheme, proof) => client.addAuth(scheme, proof),
    sync: (path) => client.sync(path),
    multi: async (operations) => void (await client.multi(operations.map(ourOperation))),
    close: () => client.close(),
  };
}

function entryOf({ perms, scheme, id }: ScenarioAcl) {
  return { perms, id: { scheme, id } };
}

function ourOperation(operation: ScenarioOperation): Parameters<Client['multi']>[0][number] {
  return operation.op === 'set' ? { ...operation, op: 'setData' } : operation;
}

const EVENTS: Readonly<Record<string, Parameters<Watch>[0]>> = {
  NODE_CREATED: 'created',
  NODE_DELETED: 'deleted',
  NODE_DATA_CHANGED: 'changed',
  NODE_CHILDREN_CHANGED: 'children',
};

function ourWatch(watch: Watch | undefined) {
  return watch && (({ type, path }: { readonly type: string; readonly path: string }) => watch(EVENTS[type] ?? 'unknown', path));
}

/** node-zookeeper-client, whose published types do not know all that is there. */
export async function openNodeZooKeeperClient(servers: string): Promise<ScenarioClient> {
  const client = zookeeper.createClient(servers, { sessionTimeout: 10_000, spinDelay: 50, retries: 0 });
  const connected = new Promise<void>((resolve) => client.once('connected', resolve));
  client.connect();
  await connected;
  const open = (zookeeper.ACL as unknown as { OPEN_ACL_UNSAFE: zookeeper.ACL[] }).OPEN_ACL_UNSAFE;
  const listOf = ({ perms, scheme, id }: ScenarioAcl) => [new zookeeper.ACL(perms, new zookeeper.Id(scheme, id))];
  return {
    create: (path, data, mode, acl) => {
      const flag = zookeeper.CreateMode[mode.toUpperCase() as keyof typeof zookeeper.CreateMode];
      return call((done) => client.create(path, Buffer.from(data), acl === undefined ? open : listOf(acl), flag, done));
    },
    get: (path, watch) =>
      call((done) =>
        client.getData(path, theirWatch(watch), (error, data, stat) => done(error, { data: String(data), version: stat?.version })),
      ),
    set: (path, data, version) => call((done) => client.setData(path, Buffer.from(data), version, done)),
    delete: (path, version) => call((done) => client.remove(path, version, (error) => done(error, undefined))),
    exists: async (path, watch) => (await call<Stat | null>((done) => client.exists(path, theirWatch(watch), done))) ?? undefined,
    children: (path, watch) => call((done) => client.getChildren(path, theirWatch(watch), done)),
    async acl(path) {
      const [entry] = (await call((done) => client.getACL(path, done))) as unknown as { permission: number; id: zookeeper.Id }[];
      return { perms: entry?.permission ?? 0, scheme: entry?.id.scheme ?? '', id: entry?.id.id ?? '' };
    },
    setAcl: (path, acl, version) => call((done) => client.setACL(path, listOf(acl), version, done)),
    auth: (scheme, proof) => Promise.resolve(client.addAuthInfo(scheme, Buffer.from(proof))),
    sync: () => Promise.reject(new Error('it has no sync')),
    multi: (operations) => {
      const transaction = client.transaction();
      for (const operation of operations) {
        if (operation.op === 'create') transaction.create(operation.path, Buffer.from(operation.data));
        else if (operation.op === 'set') transaction.setData(operation.path, Buffer.from(operation.data), operation.version);
        else if (operation.op === 'delete') transaction.remove(operation.path, operation.version);
        else transaction.check(operation.path, operation.version);
      }
      return call((done) => transaction.commit((error) => done(error, undefined)));
    },
    close: () =>
      new Promise((resolve) => {
        client.once('disconnected', resolve);
        client.close();
      }),
  };
}

function call<T>(start: (done: (error: unknown, result: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error) reject(error as Error);
      else resolve(result);
    });
  });
}

function theirWatch(watch: Watch | undefined): (event: Event) => void {
  // Undefined is what it takes for none, whatever its types say.
  return (watch && ((event: Event) => watch(EVENTS[event.name] ?? 'unknown', event.path))) as (event: Event) => void;
}
