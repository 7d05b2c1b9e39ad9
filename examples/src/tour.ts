/**
 * `npm start`: three ZooKeeper servers in this process, a tour of what they do, and a port for the clients of any language.
 *
 * Every line that the tour prints is the result of a real call.
 */
import { parseArgs } from 'node:util';
import { type Listener, listen } from '@quorate/node';
import { CreateMode, Ensemble, formatSessionId, formatZxid, type WatchEvent } from 'quorate';

const HOST = '127.0.0.1';
const USAGE =
  'npm start -- [--port N] [--exit]   --port: the port to open, 2181 unless given, 0 for any free one; --exit: end after the tour';

const { port, exit } = readOptions();
const decoder = new TextDecoder();
const began = performance.now();

const ensemble = await Ensemble.start({ servers: 3 });
say(`3 servers in one process; server ${ensemble.leader} leads after ${since(began)}`);

const listener: Listener = await listen(ensemble, { host: HOST, port }).catch(async (error: Error) => {
  console.error(`${error.message}\n${USAGE}`);
  await ensemble.close();
  process.exit(1);
});

const one = await ensemble.connect({ server: 1 });
const two = await ensemble.connect({ server: 2 });
const created = await one.create('/config', 'blue');
say(`created ${created.path} through server 1, in txn ${formatZxid(created.stat.czxid)}`);
await two.sync('/config');
say(`server 2 reads it after a sync: ${await read('/config')}`);

// Watches: the event comes before the new data can be seen.
const order: string[] = [];
const fired = new Promise<WatchEvent>((resolve) => {
  void two.getData('/config', {
    watch: (event) => {
      order.push(`the event ${event.type}`);
      resolve(event);
    },
  });
});
await two.getData('/config');
await one.setData('/config', 'green', { version: 0 });
await two.sync('/config');
const seen = await read('/config');
order.push(`the data ${seen}`);
await fired;
say(`a watch on server 2, when server 1 sets new data: first ${order.join(', then ')}`);

// Ephemerals: they live as long as the session that created them.
const guest = await ensemble.connect({ server: 3 });
await one.create('/members');
await guest.create('/members/guest-', '', { mode: CreateMode.EPHEMERAL_SEQUENTIAL });
const members = async () => (await one.getChildren('/members')).children.join(', ') || 'nobody';
await one.sync('/members');
say(`members while session ${formatSessionId(guest.sessionId)} lives: ${await members()}`);
await guest.close();
await one.sync('/members');
say(`members after its end: ${await members()}`);

// A crash of the leader, while writes go on.
const acknowledged: string[] = [];
let unknown = 0;
let writing = true;
const writers = Array.from({ length: 10 }, async () => {
  while (writing) {
    try {
      acknowledged.push((await one.create('/entry-', '', { mode: CreateMode.PERSISTENT_SEQUENTIAL })).path);
    } catch {
      unknown++;
      await one.connected();
    }
  }
});
const writes = async (count: number) => {
  const target = acknowledged.length + count;
  while (acknowledged.length < target) await new Promise((resolve) => setTimeout(resolve, 1));
};
await writes(1_000);
const crashed = ensemble.leader as number;
const crash = performance.now();
ensemble.crash(crashed);
const next = await ensemble.ready();
const elected = since(crash);
await writes(1);
say(
  `server ${crashed}, the leader, crashed under load: server ${next} leads after ${elected}, the next write was done after ${since(crash)}`,
);
ensemble.restart(crashed);
await ensemble.ready({ server: crashed });
await writes(1_000);
writing = false;
await Promise.all(writers);
const back = await ensemble.connect({ server: crashed });
await back.sync('/');
const present = new Set((await back.getChildren('/')).children.map((name) => `/${name}`));
const lost = acknowledged.filter((path) => !present.has(path)).length;
say(
  `server ${crashed} is back and has ${acknowledged.length - lost} of the ${acknowledged.length} acknowledged writes; ${lost} lost, ${unknown} of unknown outcome`,
);
for (const client of [one, two, back]) await client.close();

if (exit) {
  await end();
} else {
  say('');
  say(`ZooKeeper clients of any language can connect to ${HOST}:${listener.port} now, for example`);
  say(`  zkCli.sh -server ${HOST}:${listener.port}`);
  say(`  /usr/lib/zookeeper/bin/cli_mt -h ${HOST}:${listener.port}`);
  say('Ctrl-C ends it; everything is in memory and goes with it.');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end());
}

async function end(): Promise<void> {
  await listener.close();
  await ensemble.close();
}

async function read(path: string): Promise<string> {
  return decoder.decode((await two.getData(path)).data);
}

function say(line: string): void {
  console.log(line);
}

function since(moment: number): string {
  return `${(performance.now() - moment).toFixed(1)} ms`;
}

function readOptions(): { port: number; exit: boolean } {
  try {
    const { values } = parseArgs({ options: { port: { type: 'string', default: '2181' }, exit: { type: 'boolean', default: false } } });
    if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535)
      throw new TypeError(`--port must be 0 to 65535, not ${values.port}`);
    return { port: Number(values.port), exit: values.exit };
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return process.exit(1);
  }
}
