/** Three state machines joined in memory: what the protocol itself costs, without clients, disk and network. */
import { VirtualClock } from '@quorate/ports';
import { type Application, MemoryNetwork, MemoryStorage, Replica, type Run } from '@quorate/zab';
import { findPeers } from './peers.js';
import { type Baseline, median, type Report } from './report.js';

/** Who commits txns on three nodes. */
export interface Contestant {
  readonly name: string;
  /**
   * Commits txns of so many bytes on three new nodes, so many at once, for that time or somewhat longer.
   *
   * @returns commits per second; undefined where it cannot.
   */
  measure(bytes: number, outstanding: number, timeMs: number): Promise<number | undefined> | number | undefined;
  close(): void;
}

interface ZabBenchOptions {
  /** For each contestant and case, over all rounds. */
  readonly timeMs: number;
  readonly rounds: number;
  readonly peers: boolean;
}

export async function benchZab({ timeMs, rounds, peers }: ZabBenchOptions, report: Report): Promise<void> {
  const contestants = [toy, zab, ...(peers ? await findPeers() : [])];
  // The first seconds are the compilers'.
  for (const contestant of contestants) for (const outstanding of [1, 1_000, 1]) await contestant.measure(100, outstanding, 500);
  for (const bytes of [100, 1_000]) {
    for (const outstanding of [1, 256, 1_000]) {
      const results = contestants.map(({ name }): Result => ({ name, rates: [], ratios: [] }));
      // In turns, so that whatever else the machine does falls on all of them. The first round of a case is not counted.
      for (let round = 0; round <= rounds; round++) {
        let toyRate = 0;
        for (const [index, contestant] of contestants.entries()) {
          const perSecond = await contestant.measure(bytes, outstanding, timeMs / rounds);
          if (contestant === toy) toyRate = perSecond ?? 0;
          if (round === 0 || perSecond === undefined) continue;
          results[index]?.rates.push(perSecond);
          results[index]?.ratios.push(perSecond / toyRate);
        }
      }
      const [first, ...others] = results.filter(({ rates }) => rates.length > 0) as [Result, ...Result[]];
      const baseline: Baseline = { name: first.name, perSecond: median(first.rates) };
      const size = bytes === 100 ? '100 B' : '1 kB';
      report.heading(
        `Commits of three state machines joined in memory, ${size}, ${outstanding.toLocaleString('en')} outstanding`,
        baseline,
      );
      for (const { name, rates, ratios } of others) {
        const timesBaseline = median(ratios);
        report.rate(name, median(rates), baseline, { low: Math.min(...rates), high: Math.max(...rates), timesBaseline });
      }
    }
  }
  for (const contestant of contestants) contestant.close();
}

interface Result {
  readonly name: string;
  readonly rates: number[];
  readonly ratios: number[];
}

/** Runs `batch`, which gives how many txns it has committed, until the time is up. */
function commitsPerSecond(timeMs: number, batch: () => number): number {
  const start = performance.now();
  let committed = 0;
  do committed += batch();
  while (performance.now() < start + timeMs);
  return (committed * 1_000) / (performance.now() - start);
}

const toy: Contestant = {
  name: 'a toy of three arrays, nothing checked',
  measure: (bytes, _outstanding, timeMs) => {
    const payload = new Uint8Array(bytes);
    return commitsPerSecond(timeMs, () => {
      if (toyCommits(100_000, payload) !== 200_000) throw new Error('not everything was delivered');
      return 100_000;
    });
  },
  close: () => {},
};

/** The ceiling of one message a txn: a proposal, its two copies, two acknowledgements and two commits as objects in three arrays; nothing is checked. */
function toyCommits(count: number, payload: Uint8Array): number {
  const logs: { zxid: number; payload: Uint8Array }[][] = [[], [], []];
  let delivered = 0;
  for (let zxid = 1; zxid <= count; zxid++) {
    const proposal = { type: 'PROPOSAL', zxid, payload };
    let acks = 0;
    for (const log of logs) {
      log.push({ zxid: proposal.zxid, payload: proposal.payload });
      const ack = { type: 'ACK', zxid };
      acks += ack.zxid === zxid ? 1 : 0;
      if (acks < 2) continue;
      const commit = { type: 'COMMIT', zxid };
      delivered += commit.zxid === zxid ? 1 : 0;
    }
  }
  return delivered;
}

const zab: Contestant = {
  name: '@quorate/zab',
  measure: (bytes, outstanding, timeMs) => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const config = { version: 0, voters: [1, 2, 3] };
    const payload = new Uint8Array(bytes);
    const sinks = config.voters.map(() => new Sink());
    const replicas = config.voters.map((sid, index) => {
      const storage = new MemoryStorage({ clock }).format({ ensembleId: 'bench' });
      const replica = new Replica({ sid, config, transport: network.transport(sid), storage, clock, application: sinks[index] as Sink });
      replica.start();
      return replica;
    });
    clock.advance(0);
    const leader = replicas.find(({ isServingLeader }) => isServingLeader);
    if (leader === undefined) throw new Error('no leader');

    let proposed = 0;
    const perSecond = commitsPerSecond(timeMs, () => {
      const before = proposed;
      while (proposed < before + 1_000) {
        for (let i = 0; i < outstanding; i++) leader.propose(payload);
        clock.advance(0);
        proposed += outstanding;
      }
      if (sinks.some(({ delivered }) => delivered !== proposed)) throw new Error('not everything was delivered');
      return proposed - before;
    });
    for (const replica of replicas) replica.stop();
    return perSecond;
  },
  close: () => {},
};

class Sink implements Application {
  delivered = 0;

  deliver(run: Run): void {
    this.delivered += run.payloads.length;
  }

  snapshot(): Uint8Array[] {
    return [];
  }

  restore(): void {}
  onStatus(): void {}
}
