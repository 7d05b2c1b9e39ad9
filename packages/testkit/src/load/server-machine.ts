/** A whole server as a machine of the simulation: unchanged, over simulated ports, with a door for its clients. */
import { OpCode, type Zxid } from '@quorate/protocol';
import { Server } from '@quorate/server';
import type { Input, Sid, Status } from '@quorate/zab';
import type { Machine, MachineContext } from '../simulation/sim-ensemble.js';
import type { Sometimes } from '../simulation/sometimes.js';
import { between, chance, millis } from '../world/random-streams.js';
import type { ClientWire, Door, ServerEnd } from './client-wire.js';

/** A leader whose timer of half a tick has not come for so long has stood still for more than two ticks, by which it knows it. */
const TICKS_OF_A_STALL = 3;

/** Where these stand in the header of a txn. */
const CXID_AT = 8;
const TYPE_AT = 28;

export class ServerMachine implements Machine {
  readonly server: Server;
  readonly #context: MachineContext;
  readonly #wire: ClientWire;
  readonly #sometimes: Sometimes;
  #ends: Set<ServerEnd> = new Set();
  #serves = false;
  /** When the leader's timer has come last, while it served. */
  #lastTickMs: number | undefined;

  constructor(context: MachineContext, wire: ClientWire, sometimes: Sometimes) {
    const { knobs, sid, config, transport, storage, process, onInput, onEffect, onFailure } = context;
    this.#context = context;
    this.#wire = wire;
    this.#sometimes = sometimes;
    this.server = new Server({
      ...{ sid, config, transport, storage, clock: process },
      onInput: (input) => {
        this.#onInput(input);
        onInput(input);
      },
      onEffect: (effect) => {
        if (effect.type === 'heartbeatReceived') this.#wire.checker.onToldOf(sid, effect.payload);
        onEffect(effect);
      },
      onStatus: () => this.#onStatus(),
      onReadOnly: () => this.#wire.onReadOnly?.(sid),
      onFailure: (error) => {
        this.#wire.disturb();
        onFailure(error);
      },
      tickTimeMs: knobs.tickTimeMs,
      initLimit: knobs.initLimit,
      syncLimit: knobs.syncLimit,
      ...(knobs.snapshotEvery !== undefined && { snapshotEvery: knobs.snapshotEvery }),
      limits: knobs.limits,
      maxSessionTimeoutMs: knobs.sessionTimeoutTicks * knobs.tickTimeMs,
      localSessions: knobs.sessions !== 'ensemble',
      localSessionsUpgrading: knobs.sessions === 'upgrading',
      readOnlyMode: knobs.readOnlyMode,
      enforceQuota: knobs.quotas === 'kept',
      containerCheckIntervalMs: knobs.sweepEveryTicks * knobs.tickTimeMs,
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
    this.#ends = this.#wire.listen(this.sid, this.#context.process, this.#door());
    this.server.start();
  }

  /** Its clients may not get all that it has sent, and learn of its end late. */
  stop(): void {
    const { random, process } = this.#context;
    if (this.#serves) this.#wire.disturb();
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

  #door(): Door {
    const machine = this;
    return {
      get lastZxid() {
        return machine.lastZxid;
      },
      get serves() {
        return machine.status.serving;
      },
      get watchCount() {
        return machine.server.watchCount;
      },
      accept: (link) => this.server.accept(link),
      onConnect: ({ lastZxidSeen }) => {
        if (lastZxidSeen > this.lastZxid) this.#sometimes.note('client that has seen more than its server');
      },
    };
  }

  #onStatus(): void {
    if (this.#serves) this.#wire.disturb();
    if (this.#serves && this.status.state === 'LOOKING') this.#wire.hold(this.sid);
    this.#serves = this.status.serving;
    this.#lastTickMs = undefined;
  }

  #onInput(input: Input): void {
    if (input.type === 'timer' && input.name === 'tick') {
      this.#noticeStall();
      this.#lastTickMs = this.#context.process.now();
    } else if (input.type === 'propose') {
      this.#noticeStall();
      for (const payload of input.payloads) this.#onProposed(payload);
    }
  }

  #noticeStall(): void {
    if (this.#lastTickMs === undefined) return;
    const { process, knobs } = this.#context;
    if (process.now() - this.#lastTickMs > TICKS_OF_A_STALL * knobs.tickTimeMs) this.#wire.checker.onStalled(this.sid);
  }

  /** Looks only as far as it must, for there are many. */
  #onProposed(payload: Uint8Array): void {
    const header = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    if (header.getInt32(TYPE_AT) !== OpCode.closeSession || header.getInt32(CXID_AT) !== 0) return;
    const session = header.getBigInt64(0);
    this.#wire.checker.onExpiring(session, this.sid, this.status.epoch);
    this.#wire.onExpiring?.(session);
  }
}
