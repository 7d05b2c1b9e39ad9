/**
 * The longest turn of the event loop while a server in the process does something large, with its client beside it: for so long nobody else in the
 * process is served. docs/decisions/0016-limits.md says what is cut into pieces, and what cannot be.
 */
import { type Client, CreateMode, Ensemble } from 'quorate';
import { grouped, median, type Report } from './report.js';

export interface TurnsOptions {
  readonly rounds: number;
  /** Children of one znode. */
  readonly children: number;
}

const MULTI_OPERATIONS = 10_000;
const OUTSTANDING = 10_000;
const FILL_OPERATIONS = 1_000;

export async function benchTurns({ rounds, children }: TurnsOptions, report: Report): Promise<void> {
  const ensemble = await Ensemble.start({ servers: 1 });
  const client = await ensemble.connect({ requestBytesMax: 64 * 1024 * 1024 });
  for (const path of ['/multi', '/run', '/list']) await client.create(path);
  console.log('\nThe longest turn of the event loop, one server and its clients in the process');
  const measured = async (name: string, task: (round: number) => Promise<unknown>): Promise<void> => {
    const turns: number[] = [];
    for (let round = 0; round < rounds; round++) {
      // What the caller does in its own turn is not the server's.
      const done = task(round);
      const longestTurn = watchTurns();
      await done;
      turns.push(await longestTurn());
    }
    report.amount(name, median(turns), 'ms');
  };

  await measured(`${grouped(OUTSTANDING)} writes under way at once`, () =>
    Promise.all(Array.from({ length: OUTSTANDING }, (_, i) => client.setData('/run', `${i}`))),
  );
  await measured(`a multi of ${grouped(MULTI_OPERATIONS)} creates`, (round) =>
    client.multi(Array.from({ length: MULTI_OPERATIONS }, (_, i) => ({ op: 'create', path: `/multi/${round}-${i}` }) as const)),
  );
  const owners = await Promise.all(Array.from({ length: rounds }, (_, round) => ownerOfMany(ensemble, round)));
  await measured(`the end of a session with ${grouped(MULTI_OPERATIONS)} ephemerals`, async (round) => owners[round]?.close());
  await measured(`filling a znode with ${grouped(children / rounds)} children, with snapshots`, (round) =>
    fill(client, round, children / rounds),
  );
  await measured(`getChildren of ${grouped(children)}`, () => client.getChildren('/list'));
  await ensemble.close();
}

async function ownerOfMany(ensemble: Ensemble, round: number): Promise<Client> {
  const owner = await ensemble.connect();
  const paths = Array.from({ length: MULTI_OPERATIONS }, (_, i) => `/multi/e-${round}-${i}`);
  await Promise.all(paths.map((path) => owner.create(path, '', { mode: CreateMode.EPHEMERAL })));
  return owner;
}

async function fill(client: Client, round: number, count: number): Promise<void> {
  for (let from = 0; from < count; from += FILL_OPERATIONS) {
    const length = Math.min(FILL_OPERATIONS, count - from);
    await client.multi(Array.from({ length }, (_, i) => ({ op: 'create', path: `/list/${round}-${from + i}` }) as const));
  }
}

/** Looks at the time in every turn of the event loop; what it gives tells the longest of them, in milliseconds. */
export function watchTurns(): () => Promise<number> {
  let longest = 0;
  let last = performance.now();
  let watching = true;
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (watching) setImmediate(look);
  };
  setImmediate(look);
  return async () => {
    await new Promise((resolve) => setImmediate(resolve));
    watching = false;
    return longest;
  };
}
