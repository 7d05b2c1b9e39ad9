/**
 * An HTTP service of several processes on three servers of `quorate serve`: they are found by callers, take a change of their configuration without a restart, and run a scheduled job on one of them only. Then
 * processes are killed by kill -9, one at a time, instances of the service and servers, the leading one among them, while callers go on: every call has to be answered within three tries.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@quorate/node';
import { Discovery, LeaderLatch, VersionedConfig } from '@quorate/recipes';
import { Load } from './http-service/load.ts';
import {
  CONFIGURATION,
  type Configuration,
  type Instance,
  JOB,
  RUNS,
  type Run,
  SERVICE,
  SERVICES,
  SESSION_TIMEOUT_MS,
} from './http-service/places.ts';
import { Child } from './processes/child.ts';
import { ServedEnsemble } from './processes/served-ensemble.ts';

const NAMES = ['ada', 'ben', 'cleo'] as const;

/** For how long callers go on after each change, in milliseconds. */
const SETTLE_MS = 500;
const GIVE_UP_MS = 30_000;

// The other processes end with this one.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

await using ensemble = await ServedEnsemble.start(3);
await using client = await connect(ensemble.connectString, { sessionTimeoutMs: SESSION_TIMEOUT_MS });
await client.create(RUNS);
const configuration = new VersionedConfig<Configuration>(client, CONFIGURATION);
await configuration.publish({ greeting: 'Hello' });
const program = new URL('./http-service/instance.ts', import.meta.url);
const instances = new Map(
  NAMES.map((name): [string, Child] => [name, new Child(name, { program, args: [ensemble.connectString, name], ready: /ready: (.*)/ })]),
);
try {
  await Promise.all([...instances.values()].map((instance) => instance.start()));
  await using view = await new Discovery(client, SERVICES).view<Instance>(SERVICE);
  const load = new Load(view);
  await until('all instances are called', () => load.versions.size === NAMES.length);
  console.log(`callers are answered by ${[...load.versions.keys()].sort().join(', ')}`);
  await changeConfiguration(load);
  for (const name of NAMES) await killInstance(name, load);
  await killServers(load);
  await load.end();
  process.exitCode = (await report(load)) ? 0 : 1;
} finally {
  for (const instance of instances.values()) await instance[Symbol.asyncDispose]();
}

async function changeConfiguration(load: Load): Promise<void> {
  const before = [...instances.values()].map(({ pid }) => pid);
  const version = await configuration.publish({ greeting: 'Good evening' });
  await until('all instances have the new configuration', () => [...load.versions.values()].every((seen) => seen === version));
  const after = [...instances.values()].map(({ pid }) => pid);
  const isSame = before.every((pid, index) => pid === after[index]);
  console.log(`all answer by version ${version} of the configuration, ${isSame ? 'by the same processes' : 'AFTER A RESTART'}`);
}

async function killInstance(name: string, load: Load): Promise<void> {
  const instance = instances.get(name) as Child;
  const isLeader = (await new LeaderLatch(client, JOB).leader()) === name;
  await instance.kill();
  await sleep(SETTLE_MS);
  await instance.start();
  load.versions.delete(name);
  await until(`${name} is called again`, () => load.versions.has(name));
  console.log(`killed ${name}${isLeader ? ', which ran the job' : ''}; it is back after ${load.answered} calls`);
}

async function killServers(load: Load): Promise<void> {
  for (const role of ['leader', 'follower'] as const) {
    const server = await ensemble.find(role);
    await server.kill();
    // A write shows that a leader is there.
    await configuration.publish({ greeting: `Hello without ${server.name}` });
    await sleep(SETTLE_MS);
    await server.start();
    console.log(`killed ${server.name}, a ${role}; it is back after ${load.answered} calls`);
  }
}

/** @returns whether every call was answered and the job ran on one instance at a time. */
async function report(load: Load): Promise<boolean> {
  const tries = [...load.byTries].sort(([a], [b]) => a - b).map(([count, calls]) => `${calls} at try ${count}`);
  console.log(`${load.answered} calls were answered: ${tries.join(', ')}; ${load.failures.length} were not`);
  for (const failure of load.failures.slice(0, 5)) console.log(`  ${failure}`);
  await client.sync();
  const names = (await client.getChildren(RUNS)).children.sort();
  const read = names.map(async (name) => JSON.parse(new TextDecoder().decode((await client.getData(`${RUNS}/${name}`)).data)) as Run);
  const runs = await Promise.all(read);
  const turns = runs.filter(({ token }, index) => token !== runs[index - 1]?.token);
  const isOneAtATime = turns.every(({ token }, index) => index === 0 || token > (turns[index - 1] as Run).token);
  const who = turns.map(({ name }) => name).join(', then ');
  console.log(`the job ran ${runs.length} times, ${isOneAtATime ? 'on one instance at a time' : 'ON SEVERAL INSTANCES AT A TIME'}: ${who}`);
  return load.failures.length === 0 && isOneAtATime && turns.length > 1;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_MS;
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`it took too long until ${what}`);
    await sleep(10);
  }
}
