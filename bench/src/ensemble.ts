/** What a user of an ensemble in the process gets: client → server → commit → reply, and the time from nothing to the first write. */
import { type Client, Ensemble } from 'quorate';
import { type Baseline, measure, type Report } from './report.js';

export async function benchEnsemble(timeMs: number, report: Report): Promise<void> {
  const data = new Uint8Array(100);
  // What any promise API costs at the least: a promise that is resolved in a later turn.
  const bare = await measure(timeMs / 2, 10_000, async () => {
    for (let i = 0; i < 10_000; i++) await new Promise<void>((resolve) => queueMicrotask(resolve));
  });
  const baseline: Baseline = { name: 'a promise that the next turn resolves', perSecond: bare };
  report.heading('Client, server, commit, reply in one process, 3 servers, 100 B', baseline);

  const ensemble = await Ensemble.start({ servers: 3 });
  const leader = ensemble.leader as number;
  for (const [where, server] of [
    ['on the leader', leader],
    ['on a follower', (leader % 3) + 1],
  ] as const) {
    const client = await ensemble.connect({ server });
    const { path } = await client.create(`/bench-${server}`, data);
    report.rate(
      `setData, one outstanding, ${where}`,
      await measure(timeMs, 1_000, () => inSequence(1_000, () => client.setData(path, data))),
      baseline,
    );
    report.rate(
      `setData, 1,000 outstanding, ${where}`,
      await measure(timeMs, 10_000, () => pipelined(10_000, client, path, data)),
      baseline,
    );
    report.rate(
      `getData, one outstanding, ${where}`,
      await measure(timeMs, 1_000, () => inSequence(1_000, () => client.getData(path))),
      baseline,
    );
    await client.close();
  }
  await ensemble.close();
}

async function inSequence(count: number, operation: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await operation();
}

async function pipelined(count: number, client: Client, path: string, data: Uint8Array): Promise<void> {
  for (let done = 0; done < count; done += 1_000) {
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 1_000; i++) calls.push(client.setData(path, data));
    await Promise.all(calls);
  }
}

/** From `Ensemble.start` to the answer of the first write. The first start of a process also compiles the code. */
export async function benchBoot(rounds: number): Promise<void> {
  const boot = async (): Promise<number> => {
    const start = performance.now();
    const ensemble = await Ensemble.start({ servers: 3 });
    const client = await ensemble.connect();
    await client.create('/first');
    const ms = performance.now() - start;
    await ensemble.close();
    return ms;
  };
  const first = await boot();
  const later: number[] = [];
  for (let i = 0; i < rounds; i++) later.push(await boot());
  later.sort((a, b) => a - b);
  console.log('\nBoot of 3 servers in the process to the first served write');
  console.log(
    `  first in this process ${first.toFixed(1)} ms; later ones ${later[later.length >> 1]?.toFixed(1)} ms (median of ${rounds})`,
  );
}
