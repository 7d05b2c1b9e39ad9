/** Three state machines joined in memory, 100 B payloads: what the protocol itself costs, without clients, disk and network. */
import { VirtualClock } from '@quorate/ports';
import { type Application, MemoryNetwork, MemoryStorage, Replica, type Run } from '@quorate/zab';
import { type Baseline, heading, measure, rate } from './report.js';

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

export async function benchZab(timeMs: number): Promise<void> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const config = { version: 0, voters: [1, 2, 3] };
  const payload = new Uint8Array(100);
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

  /** Commits `count` txns, `outstanding` at a time, on all three servers. */
  const commit = (count: number, outstanding: number): void => {
    const before = sinks.map(({ delivered }) => delivered);
    for (let done = 0; done < count; done += outstanding) {
      for (let i = 0; i < outstanding; i++) leader.propose(payload);
      clock.advance(0);
    }
    sinks.forEach(({ delivered }, index) => {
      if (delivered !== (before[index] as number) + count) throw new Error('not everything was delivered');
    });
  };

  const toy = await measure(timeMs / 2, 100_000, () => void toyCommits(100_000, payload));
  const baseline: Baseline = { name: 'a toy of three arrays, nothing checked', perSecond: toy };
  heading('Commits of three state machines joined in memory, 100 B', baseline);
  rate('one outstanding', await measure(timeMs, 10_000, () => commit(10_000, 1)), baseline);
  rate('pipelined, 1,000 outstanding, in runs', await measure(timeMs, 200_000, () => commit(200_000, 1_000)), baseline);
  for (const replica of replicas) replica.stop();
}
