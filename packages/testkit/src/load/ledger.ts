/** The smallest replicated state machine: it remembers how many txns it was given and a digest of them in their order. */
import { assert, JuteReader, JuteWriter, type Zxid } from '@quorate/protocol';
import { type Application, lastZxidOf, Replica, type Run, type Sid, type Status } from '@quorate/zab';
import { joined } from '../check/witness.js';
import type { Machine, MachineContext } from '../simulation/sim-ensemble.js';

/** A server without anything above Zab. */
export class LedgerMachine implements Machine, Application {
  readonly replica: Replica;
  readonly #onSynced: (tag: number) => void;
  #count = 0;
  #digest = 0;
  #last = 0 as Zxid;
  /** What it has proposed last as the leader that it is. */
  #lastProposed = 0 as Zxid;

  constructor(context: MachineContext, onSynced: (sid: Sid, tag: number) => void) {
    const { knobs, process, onInput, onEffect, onFailure } = context;
    this.#onSynced = (tag) => onSynced(context.sid, tag);
    this.replica = new Replica({
      sid: context.sid,
      config: context.config,
      transport: context.transport,
      storage: context.storage,
      clock: process,
      application: this,
      tickTimeMs: knobs.tickTimeMs,
      initLimit: knobs.initLimit,
      syncLimit: knobs.syncLimit,
      ...(knobs.snapshotEvery !== undefined && { snapshotEvery: knobs.snapshotEvery }),
      limits: knobs.limits,
      onInput,
      onEffect,
      onFailure,
    });
  }

  get status(): Status {
    return this.replica.status;
  }

  get lastZxid(): Zxid {
    return this.#last;
  }

  start(): void {
    this.replica.start();
  }

  stop(): void {
    this.replica.stop();
  }

  state(): Uint8Array {
    const writer = new JuteWriter();
    writer.int(this.#count);
    writer.int(this.#digest);
    writer.zxid(this.#last);
    return writer.finish();
  }

  deliver(run: Run): void {
    for (const payload of run.payloads) {
      this.#count++;
      for (let i = 0; i < payload.length; i++) this.#digest = Math.imul(this.#digest ^ (payload[i] as number), 0x01000193);
    }
    this.#last = lastZxidOf(run);
  }

  /** In several pieces, few as its bytes are. */
  snapshot(): Uint8Array[] {
    const bytes = this.state();
    return [bytes.subarray(0, 4), bytes.subarray(4, 8), bytes.subarray(8)];
  }

  restore(pieces: readonly Uint8Array[]): void {
    const reader = new JuteReader(joined(pieces));
    this.#count = reader.int();
    this.#digest = reader.int();
    this.#last = reader.zxid();
  }

  handOver(to: Sid | undefined): void {
    this.replica.handOver(to);
  }

  propose(payload: Uint8Array): void {
    this.#lastProposed = this.replica.propose(payload);
  }

  /** Between two epochs of one leader nothing that was proposed is lost. */
  onStatus({ state, serving }: Status): void {
    if (state !== 'LEADING') this.#lastProposed = 0 as Zxid;
    else if (serving)
      assert(this.#last >= this.#lastProposed, 'a leader that goes on in its next epoch has delivered all that it had proposed');
  }

  onRequest(_from: Sid, payload: Uint8Array): void {
    if (this.replica.isServingLeader) this.propose(payload);
  }

  onSynced(tag: number): void {
    this.#onSynced(tag);
  }
}
