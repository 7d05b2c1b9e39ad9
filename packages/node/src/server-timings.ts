/** What takes a server time, measured from outside: at its store, at the inputs and effects of its replica, and from what the server itself has counted of its requests. */
import type { Clock, Disk } from '@quorate/ports';
import type { Server, ServerOptions, StoredImage } from '@quorate/server';
import type { Registry, Summary } from 'prom-client';
import { meteredDisk } from './metered-disk.js';
import { QuorumTimings } from './quorum-timings.js';
import type { StoreMeter } from './server-store.js';
import { StatusTimings } from './status-timings.js';
import { CountedSummary, observedSummary } from './summaries.js';

export class ServerTimings implements StoreMeter {
  readonly #registry: Registry;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #nowMs = (): number => this.#clock.now();
  readonly #status: StatusTimings;
  readonly #quorum: QuorumTimings;
  readonly #flushes: Summary;
  readonly #snapshots: Summary;
  readonly #loads: Summary;
  readonly #loadedTxns: Summary;

  constructor(registry: Registry, clock: Pick<Clock, 'now'>) {
    this.#registry = registry;
    this.#clock = clock;
    this.#status = new StatusTimings(registry);
    this.#quorum = new QuorumTimings(registry);
    this.#flushes = observedSummary(registry, 'fsynctime', 'flushes of the files of the store, in milliseconds');
    this.#snapshots = observedSummary(
      registry,
      'snapshottime',
      'from the beginning of a snapshot until it is safe, while the server goes on, in milliseconds',
    );
    this.#loads = observedSummary(registry, 'dbinittime', 'reading the store at the start, in milliseconds');
    this.#loadedTxns = observedSummary(registry, 'startup_txns_loaded', 'txns that were read at the start');
  }

  /** The server's own counts of latencies, from when there is one. */
  countsOf({ counts }: Server): void {
    const latencies = (name: string, help: string, read: () => ReturnType<typeof counts.reads.read>): void =>
      void new CountedSummary(this.#registry, { name, help, clock: this.#clock, read });
    latencies('readlatency', 'from the coming of a request that changes nothing to its reply, in milliseconds', () => counts.reads.read());
    latencies('updatelatency', 'from the coming of a request that changes something to its reply, in milliseconds', () =>
      counts.updates.read(),
    );
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

  onRecovered({ runs }: StoredImage, tookMs: number): void {
    this.#loads.observe(tookMs);
    this.#loadedTxns.observe(runs.reduce((sum, { payloads }) => sum + payloads.length, 0));
  }

  onSaved(tookMs: number): void {
    this.#snapshots.observe(tookMs);
  }

  readonly onInput: NonNullable<ServerOptions['onInput']> = (input) => {
    this.#quorum.onInput(input, this.#nowMs);
    if (input.type !== 'leaderMessage') return;
    const { type } = input.message;
    if (type === 'DIFF' || type === 'TRUNC' || type === 'SNAP') this.#status.onSynchronizing(this.#clock.now());
  };

  readonly onEffect: NonNullable<ServerOptions['onEffect']> = (effect) => {
    if (effect.type !== 'status') return this.#quorum.onEffect(effect, this.#nowMs);
    const { state, serving } = effect.status;
    this.#quorum.isLeading = state === 'LEADING';
    this.#status.onStatus(state, serving, this.#clock.now());
  };
}
