/**
 * Somebody who comes in the name of a session that is not its own: an unchanged `ClientMachine` that was told of it. Without the right password it must be
 * sent away, and the session must not notice; with it, it has the session, as a second process of its client would, until the client takes it back.
 */
import { ClientMachine, type SessionIdentity } from '@quorate/client';
import type { Random, VirtualClock } from '@quorate/ports';
import type { Sid } from '@quorate/zab';
import type { Knobs } from '../simulation/knobs.js';
import { between, chance, millis } from '../world/random-streams.js';
import { SimProcess } from '../world/sim-process.js';
import type { ClientEnd, ClientWire } from './client-wire.js';

export interface StrangerOptions {
  /** Its number among the clients. */
  readonly id: number;
  readonly knobs: Knobs;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly wire: ClientWire;
}

export class Stranger {
  readonly #options: StrangerOptions;
  #machine: ClientMachine | undefined;
  #process: SimProcess | undefined;
  readonly #ends = new Set<ClientEnd>();

  constructor(options: StrangerOptions) {
    this.#options = options;
  }

  /** Comes to one of these servers for this session, with its password or with another one; not while it is with another session yet. */
  visit(session: SessionIdentity, knowsPassword: boolean, sids: readonly Sid[]): void {
    if (this.#machine !== undefined) return;
    const { id, knobs, clock, random, wire } = this.#options;
    const process = new SimProcess(clock);
    this.#process = process;
    this.#machine = new ClientMachine({
      connector: wire.connector({ client: id, isForeign: true, process, sids, ends: this.#ends }),
      clock: process,
      random,
      sessionTimeoutMs: knobs.sessionTimeoutTicks * knobs.tickTimeMs,
      canBeReadOnly: knobs.readOnlyMode,
      session: { id: session.id, password: knowsPassword ? session.password : spoilt(random, session.password) },
      onState: (state) => {
        if (state === 'CONNECTED') clock.setTimer(millis(random, 0, 500), () => this.leave());
        else if (state !== 'CONNECTING') process.defer(() => this.leave());
      },
    });
    this.#machine.start();
  }

  /** Goes, without a goodbye. */
  leave(): void {
    const { random } = this.#options;
    if (chance(random, 300)) for (const end of this.#ends) end.vanish({ unsent: 0, delayMs: millis(random, 0, 2000) });
    this.#machine?.abandon();
    this.#process?.end();
    this.#machine = undefined;
    this.#process = undefined;
    this.#ends.clear();
  }
}

/** One bit of it is another. */
function spoilt(random: Random, password: Uint8Array): Uint8Array {
  const bytes = password.slice();
  const at = between(random, 0, bytes.length - 1);
  bytes[at] = (bytes[at] as number) ^ (1 << between(random, 0, 7));
  return bytes;
}
