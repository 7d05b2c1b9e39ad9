/**
 * Atomic broadcast alone: a counter replicated on three servers with `@quorate/zab` and nothing else, through the crash of the leader.
 *
 * An application says what a payload means (here: a number to add), how its whole state is written down, and that is all.
 */
import { realClock } from '@quorate/ports';
import { type Application, type Config, MemoryNetwork, MemoryStorage, Replica, type Run, type Status } from '@quorate/zab';

class Counter implements Application {
  value = 0;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  deliver(run: Run): void {
    for (const payload of run.payloads) this.value += payload[0] ?? 0;
  }

  /** One piece is enough for a number. */
  snapshot(): Uint8Array[] {
    return [new TextEncoder().encode(String(this.value))];
  }

  restore(pieces: readonly Uint8Array[]): void {
    this.value = Number(pieces.map((piece) => new TextDecoder().decode(piece)).join(''));
  }

  onStatus({ state, epoch, serving }: Status): void {
    if (serving) console.log(`${this.name} is ${state} in epoch ${epoch}`);
  }
}

const clock = realClock;
const network = new MemoryNetwork({ clock });
const config: Config = { version: 0, voters: [1, 2, 3] };
const servers = config.voters.map((sid) => {
  const counter = new Counter(`server ${sid}`);
  // The ensemble is founded, once: a store without this mark would wait for a leader that gives it its vote.
  const storage = new MemoryStorage({ clock }).format({ ensembleId: 'counter' });
  const replica = new Replica({ sid, config, transport: network.transport(sid), storage, clock, application: counter, tickTimeMs: 50 });
  replica.start();
  return { counter, replica };
});

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise<void>((resolve) => void clock.setTimer(1, resolve));
};
const leader = () => servers.find(({ replica }) => replica.isServingLeader);
const values = () => servers.map(({ counter }) => counter.value).join(', ');

await until(() => leader() !== undefined);
for (let i = 0; i < 1_000; i++) leader()?.replica.propose(new Uint8Array([1]));
await until(() => servers.every(({ counter }) => counter.value === 1_000));
console.log(`after 1,000 increments: ${values()}`);

const crashed = leader();
crashed?.replica.stop();
console.log(`${crashed?.counter.name} crashes`);
await until(() => leader() !== undefined && leader() !== crashed);
leader()?.replica.propose(new Uint8Array([42]));
await until(() => servers.filter((server) => server !== crashed).every(({ counter }) => counter.value === 1_042));
console.log(`after 42 more, without it: ${values()}`);

for (const { replica } of servers) replica.stop();
