/**
 * A lock holder that is stopped beyond its session and goes on: what tells it that it holds nothing any more, and what protects the data where it does not look.
 *
 * The holder is a process of its own, which is stopped by SIGSTOP, as a long garbage collection or a suspended machine would. The store is the one who knows best: it
 * remembers the greatest fencing token that it has seen, and refuses every write with a smaller one.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { listen, tcpConnector } from '@quorate/node';
import { Client, Ensemble, Lock } from 'quorate';

const SESSION_TIMEOUT_MS = 600;

/** What is protected. A write carries the token of the lock under which it is made. */
class Store {
  value = '';
  #greatest = 0;

  write(value: string, token: number): boolean {
    if (token < this.#greatest) return false;
    this.#greatest = token;
    this.value = value;
    return true;
  }
}

/** What the holder tells: it writes all the time, and says whether it believes to be safe. */
interface Write {
  readonly token: number;
  readonly isSafe: boolean;
}

async function hold(hosts: string): Promise<void> {
  const client = await Client.connect({ connector: tcpConnector(hosts), sessionTimeoutMs: SESSION_TIMEOUT_MS });
  const held = await new Lock(client, '/locks/store').acquire();
  // A careful program would stop here where `held.signal.aborted`. This one writes anyway.
  setInterval(() => process.send?.({ token: held.fencingToken, isSafe: !held.signal.aborted } satisfies Write), 20);
}

async function main(): Promise<void> {
  await using ensemble = await Ensemble.start({ servers: 1 });
  const listener = await listen(ensemble, { port: 0, host: '127.0.0.1' });
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['hold', `127.0.0.1:${listener.port}`]);
  try {
    await tell(ensemble, child);
  } finally {
    child.kill('SIGKILL');
    await listener.close();
  }
}

async function tell(ensemble: Ensemble, child: ChildProcess): Promise<void> {
  const store = new Store();
  const [first] = (await once(child, 'message')) as [Write];
  console.log(
    `the holder writes: ${store.write('of the holder', first.token) ? 'done' : 'refused'}; it is ${first.isSafe ? 'safe' : 'not safe'}`,
  );

  child.kill('SIGSTOP');
  console.log('the holder stands still');
  const client = await ensemble.connect();
  const held = await new Lock(client, '/locks/store').acquire();
  console.log(`somebody else has the lock, and writes: ${store.write('of the next holder', held.fencingToken) ? 'done' : 'refused'}`);

  // What it had sent before it was stopped is not what is looked for.
  const late = new Promise<Write>((resolve) => child.on('message', (write: Write) => !write.isSafe && resolve(write)));
  child.kill('SIGCONT');
  const write = await late;
  const isDone = store.write('too late', write.token);
  console.log(`the holder goes on, knows that it is not safe, and writes all the same: ${isDone ? 'done' : 'refused'}`);
  console.log(`the store has what is ${store.value}`);
  if (isDone) process.exitCode = 1;
  await client.close();
}

const [command, hosts = ''] = process.argv.slice(2);
await (command === 'hold' ? hold(hosts) : main());
