/** What takes a server time, measured from outside: at its disk, at the inputs and effects of its replica. Under the names of ZooKeeper's `ServerMetrics`, in milliseconds. */
import type { Clock, Disk } from '@quorate/ports';
import type { Zxid } from '@quorate/protocol';
import type { ServerOptions } from '@quorate/server';
import { Counter, type Registry, Summary } from 'prom-client';
import { meteredDisk } from './metered-disk.js';

type Input = Parameters<NonNullable<ServerOptions['onInput']>>[0];
type Effect = Parameters<NonNullable<ServerOptions['onEffect']>>[0];

/** As ZooKeeper's provider for Prometheus has them. */
const PERCENTILES = [0.5, 0.9, 0.99];

/** Quantiles are those of the last minutes. */
const WINDOW = { maxAgeSeconds: 600, ageBuckets: 5 };

/** Runs that were proposed and wait for a quorum, at most; those beyond are not measured. */
const WAITING_MAX = 10_000;

interface Proposed {
  /** The last txn of the run. */
  readonly zxid: Zxid;
  readonly atMs: number;
}

export class ServerTimings {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #flushes: Summary;
  readonly #elections: Summary;
  readonly #quorums: Summary;
  readonly #proposals: Counter;
  readonly #commits: Counter;
  #lookingSinceMs: number | undefined;
  #isLeading = false;
  #waiting: Proposed[] = [];

  constructor(registry: Registry, clock: Pick<Clock, 'now'>) {
    const registers = [registry];
    const summary = (name: string, help: string): Summary => new Summary({ name, help, registers, percentiles: PERCENTILES, ...WINDOW });
    this.#clock = clock;
    this.#flushes = summary('fsynctime', 'flushes of the files of the store, in milliseconds');
    this.#elections = summary('election_time', 'from the beginning of a look for a leader to its end, in milliseconds');
    this.#quorums = summary('quorum_ack_latency', 'leader: from the proposal of txns until a quorum has them, in milliseconds');
    this.#proposals = new Counter({ name: 'proposal_count', help: 'leader: txns that were proposed', registers });
    this.#commits = new Counter({ name: 'commit_count', help: 'leader: txns that were committed', registers });
  }

  /** The same disk, whose flushes are timed. */
  disk(disk: Disk): Disk {
    return meteredDisk(disk, {
      onFlush: () => {
        const atMs = this.#clock.now();
        return () => this.#flushes.observe(this.#clock.now() - atMs);
      },
    });
  }

  readonly onInput = (input: Input): void => {
    if (input.type === 'propose') this.#proposals.inc(input.payloads.length);
  };

  readonly onEffect = (effect: Effect): void => {
    if (effect.type === 'status') this.#onState(effect.status.state);
    else if (!this.#isLeading) return;
    else if (effect.type === 'append' && this.#waiting.length < WAITING_MAX)
      this.#waiting.push({ zxid: (effect.run.zxid + effect.run.payloads.length - 1) as Zxid, atMs: this.#clock.now() });
    else if (effect.type === 'deliver')
      this.#onCommit((effect.run.zxid + effect.run.payloads.length - 1) as Zxid, effect.run.payloads.length);
  };

  #onState(state: string): void {
    const nowMs = this.#clock.now();
    if (state === 'LOOKING') this.#lookingSinceMs ??= nowMs;
    else if (this.#lookingSinceMs !== undefined) {
      this.#elections.observe(nowMs - this.#lookingSinceMs);
      this.#lookingSinceMs = undefined;
    }
    this.#isLeading = state === 'LEADING';
    if (!this.#isLeading) this.#waiting = [];
  }

  #onCommit(through: Zxid, count: number): void {
    this.#commits.inc(count);
    const nowMs = this.#clock.now();
    let committed = 0;
    for (const { zxid, atMs } of this.#waiting) {
      if (zxid > through) break;
      this.#quorums.observe(nowMs - atMs);
      committed++;
    }
    if (committed > 0) this.#waiting.splice(0, committed);
  }
}
