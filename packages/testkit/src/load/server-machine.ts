/** A whole server as a machine of the simulation: unchanged, over simulated ports, with a door for its clients. */
import type { Zxid } from '@quorate/protocol';
import { Server } from '@quorate/server';
import type { Sid, Status } from '@quorate/zab';
import type { Machine, MachineContext } from '../simulation/sim-ensemble.js';
import type { Sometimes } from '../simulation/sometimes.js';
import { between, chance, millis } from '../world/random-streams.js';
import type { ClientWire, ServerEnd } from './client-wire.js';

export class ServerMachine implements Machine {
  readonly server: Server;
  readonly #context: MachineContext;
  readonly #wire: ClientWire;
  readonly #sometimes: Sometimes;
  #ends: Set<ServerEnd> = new Set();

  constructor(context: MachineContext, wire: ClientWire, sometimes: Sometimes) {
    const { knobs, sid, config, transport, storage, process, onInput, onEffect, onFailure } = context;
    this.#context = context;
    this.#wire = wire;
    this.#sometimes = sometimes;
    this.server = new Server({
      ...{ sid, config, transport, storage, clock: process, onInput, onEffect, onFailure },
      tickTimeMs: knobs.tickTimeMs,
      initLimit: knobs.initLimit,
      syncLimit: knobs.syncLimit,
      ...(knobs.snapshotEvery !== undefined && { snapshotEvery: knobs.snapshotEvery }),
      limits: knobs.limits,
    });
  }

  get sid(): Sid {
    return this.server.sid;
  }

  get status(): Status {
    return this.server.status;
  }

  get lastZxid(): Zxid {
    return this.server.lastZxid;
  }

  start(): void {
    this.#ends = this.#wire.listen(this.sid, this.#context.process, {
      accept: (link) => this.server.accept(link),
      onConnect: ({ lastZxidSeen }) => {
        if (lastZxidSeen > this.lastZxid) this.#sometimes.note('client that has seen more than its server');
      },
    });
    this.server.start();
  }

  /** Its clients may not get all that it has sent, and learn of its end late. */
  stop(): void {
    const { random, process } = this.#context;
    this.#wire.unlisten(this.sid, process);
    for (const end of this.#ends) {
      const unsent = chance(random, 500) ? between(random, 0, end.outgoing.length) : 0;
      end.vanish({ unsent, delayMs: chance(random, 300) ? millis(random, 0, 2000) : 0 });
    }
    this.server.stop();
  }

  handOver(to: Sid | undefined): void {
    this.server.handOver(to);
  }

  state(): Uint8Array {
    return this.server.tree.serialize();
  }
}
