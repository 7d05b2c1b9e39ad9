/**
 * Recipes on an ensemble of three servers in the process: locks that change hands, double barriers in the shape of the table of the ZooKeeper paper (Hunt et al., USENIX ATC 2010,
 * table 3), and items through a queue. The baseline is what all of them are made of: one write after the other.
 */
import { type Client, DoubleBarrier, Ensemble, Lock, Queue } from 'quorate';
import { type Baseline, measure, type Report } from './report.js';

export interface RecipesOptions {
  readonly timeMs: number;
  /** How many clients meet, in each shape. */
  readonly members: readonly number[];
  /** Of each shape. */
  readonly barriers: number;
  readonly items: number;
}

const LOCK_CLIENTS = 10;
const HANDOVERS_OF_A_CLIENT = 20;

export async function benchRecipes({ timeMs, members, barriers, items }: RecipesOptions, report: Report): Promise<void> {
  const ensemble = await Ensemble.start({ servers: 3 });
  const clients = await Promise.all(Array.from({ length: Math.max(LOCK_CLIENTS, ...members) }, () => ensemble.connect()));
  const [first] = clients as [Client];
  await first.create('/baseline');
  const baseline: Baseline = {
    name: 'setData, one after the other',
    perSecond: await measure(timeMs / 2, 100, async () => {
      for (let i = 0; i < 100; i++) await first.setData('/baseline', '');
    }),
  };
  report.heading('Recipes, 3 servers in the process', baseline);
  const handOvers = LOCK_CLIENTS * HANDOVERS_OF_A_CLIENT;
  report.rate(
    `a lock changes hands, ${LOCK_CLIENTS} clients`,
    await measure(timeMs, handOvers, () => handOver(clients.slice(0, LOCK_CLIENTS))),
    baseline,
  );
  report.rate('an item put into a queue and taken', await measure(timeMs, items, () => pass(clients, items)), baseline);
  for (const size of members) {
    const start = performance.now();
    await meet(clients.slice(0, size), barriers);
    const seconds = (performance.now() - start) / 1_000;
    report.rate(`a client enters or leaves a double barrier of ${size}`, (2 * size * barriers) / seconds, baseline);
    report.amount(`${barriers} double barriers of ${size} clients, one after the other`, seconds * 1_000, 'ms');
  }
  await ensemble.close();
}

async function handOver(clients: readonly Client[]): Promise<void> {
  await Promise.all(
    clients.map(async (client) => {
      const lock = new Lock(client, '/lock');
      for (let i = 0; i < HANDOVERS_OF_A_CLIENT; i++) await (await lock.acquire()).release();
    }),
  );
}

async function pass([producer, consumer]: readonly Client[], items: number): Promise<void> {
  const [from, to] = [new Queue(producer as Client, '/queue'), new Queue(consumer as Client, '/queue')];
  const puts = Promise.all(Array.from({ length: items }, (_, i) => from.put(`${i}`)));
  for (let i = 0; i < items; i++) await to.take();
  await puts;
}

async function meet(clients: readonly Client[], barriers: number): Promise<void> {
  for (let i = 0; i < barriers; i++) {
    await Promise.all(
      clients.map(async (client) => {
        const barrier = new DoubleBarrier(client, `/barrier-${clients.length}`, { members: clients.length });
        await barrier.enter();
        await barrier.leave();
      }),
    );
  }
}
