/**
 * One process of the service: `node … instance.ts CONNECT-STRING NAME`. It answers `GET /greeting/WHO` as its configuration says, is found by callers as long as it lives, and runs the
 * scheduled job when that is its turn.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from '@quorate/node';
import { Discovery, type Hold, LeaderLatch, pause, VersionedConfig } from '@quorate/recipes';
import { CreateMode } from 'quorate';
import {
  CONFIGURATION,
  type Configuration,
  type Instance,
  JOB,
  JOB_MS,
  RUNS,
  type Run,
  SERVICE,
  SERVICES,
  SESSION_TIMEOUT_MS,
} from './places.ts';

const [connectString = '', name = ''] = process.argv.slice(2);
process.on('disconnect', () => process.exit(1));

const client = await connect(connectString, { sessionTimeoutMs: SESSION_TIMEOUT_MS });
// A process whose session has ended is nobody any more: whoever has started it starts it again.
client.onState((state) => {
  if (state === 'EXPIRED') process.exit(1);
});

let configuration: Configuration | undefined;
let version = 0;

/** Takes every change of the configuration, without a restart. While no server is there the last one holds. */
async function followConfiguration(): Promise<void> {
  for await (const latest of new VersionedConfig<Configuration>(client, CONFIGURATION).follow()) {
    configuration = latest.value;
    version = latest.version;
  }
}

/** Runs the job over and over while this process is the one to do so. */
async function runJobs(): Promise<void> {
  const latch = new LeaderLatch(client, JOB, { id: name }).start();
  for (;;) {
    const term = await latch.leadership();
    while (!term.signal.aborted) {
      // One that could not be noted, or was not to be, is made up for by the next.
      await runJob(term).catch(() => {});
      await pause(client.clock, JOB_MS, { signal: term.signal }).catch(() => {});
    }
  }
}

/** Leaves a znode, in a txn that looks whether this process still leads: one that stood still and goes on is refused. */
async function runJob({ path, fencingToken, signal }: Hold): Promise<void> {
  const run = JSON.stringify({ name, token: fencingToken } satisfies Run);
  await client.transaction().check(path, 0).create(`${RUNS}/run-`, run, { mode: CreateMode.PERSISTENT_SEQUENTIAL }).commit({ signal });
}

const server = createServer((request, response) => {
  const who = /^\/greeting\/(\w+)$/.exec(request.url ?? '')?.[1];
  if (who === undefined || configuration === undefined) {
    response.writeHead(who === undefined ? 404 : 503).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'text/plain', instance: name, version }).end(`${configuration.greeting}, ${who}!`);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
void followConfiguration();
void runJobs();
const { port } = server.address() as AddressInfo;
const url = `http://127.0.0.1:${port}`;
await new Discovery(client, SERVICES).register<Instance>(SERVICE, { id: name, data: { url } });
console.log(`ready: ${name} at ${url}`);
