/** Whole servers for a stage: the shipped ones, over the simulated network and its disks. */
import type { Connector } from '@quorate/client';
import type { Random, VirtualClock } from '@quorate/ports';
import type { ClientMessage, ServerMessage, Zxid } from '@quorate/protocol';
import { Server } from '@quorate/server';
import type { Effect, Sid, Status } from '@quorate/zab';
import type { Verdict } from '../check/verdict.js';
import type { Knobs } from '../simulation/knobs.js';
import { type EnsembleObserver, type Machine, type MachineContext, SimEnsemble } from '../simulation/sim-ensemble.js';
import type { Trace } from '../trace/trace.js';
import { between, chance, millis, type RandomStreams } from '../world/random-streams.js';
import type { SimNetwork } from '../world/sim-network.js';
import { SimProcess } from '../world/sim-process.js';
import { hostOf } from '../world/sim-transport.js';
import type { StreamEnd } from '../world/stream.js';

export interface SimServersOptions {
  readonly knobs: Knobs;
  readonly clock: VirtualClock;
  readonly streams: RandomStreams;
  readonly network: SimNetwork;
  readonly trace: Trace;
  readonly verdict: Verdict;
  /** A server is about to perform this. */
  readonly onEffect: (sid: Sid, effect: Effect) => void;
}

/** An ensemble; its clients come over the same network. */
export function simServers({ trace, verdict, onEffect, ...options }: SimServersOptions): SimEnsemble<StageServer> {
  const nothing = (): void => {};
  const observer: EnsembleObserver = {
    onInput: (sid, input) => trace.onInput(sid, input),
    onEffect: (sid, effect) => {
      trace.onEffect(sid, effect);
      onEffect(sid, effect);
    },
    onDown: nothing,
    onFailure: (sid, error) => verdict.fail('UnexpectedException', `server ${sid} stopped by itself: ${error.stack ?? error.message}`),
    onSpoilt: nothing,
    onViolation: nothing,
    onFlushed: nothing,
    onSnapshotSaved: nothing,
    onStoreLost: nothing,
    onRecovered: nothing,
    onPowerLost: nothing,
  };
  return new SimEnsemble({ ...options, observer, createMachine: (context) => new StageServer(context, options.network) });
}

/** The way of a host to the servers. What happens to its process is the affair of whoever uses this. */
export function simConnector(
  network: SimNetwork,
  host: string,
  { clock, sids }: { readonly clock: VirtualClock; readonly sids: readonly Sid[] },
): Connector {
  const process = new SimProcess(clock);
  return {
    servers: sids.length,
    connect: (index, handler) => {
      const end = network.dial<ClientMessage, ServerMessage>({
        from: host,
        process,
        to: hostOf(sids[index] as Sid),
        service: 'client',
        handler,
      });
      return { send: (message) => end.send(message), close: () => end.close() };
    },
  };
}

export class StageServer implements Machine {
  readonly server: Server;
  readonly #network: SimNetwork;
  readonly #process: SimProcess;
  readonly #random: Random;
  readonly #ends = new Set<StreamEnd<ServerMessage, ClientMessage>>();

  constructor(
    { sid, config, process, transport, storage, random, knobs, onInput, onEffect, onFailure }: MachineContext,
    network: SimNetwork,
  ) {
    this.#network = network;
    this.#process = process;
    this.#random = random;
    this.server = new Server({
      ...{ sid, config, transport, storage, clock: process, onInput, onEffect, onFailure },
      tickTimeMs: knobs.tickTimeMs,
      initLimit: knobs.initLimit,
      syncLimit: knobs.syncLimit,
      ...(knobs.snapshotEvery !== undefined && { snapshotEvery: knobs.snapshotEvery }),
      limits: knobs.limits,
      maxSessionTimeoutMs: knobs.sessionTimeoutTicks * knobs.tickTimeMs,
      containerCheckIntervalMs: knobs.sweepEveryTicks * knobs.tickTimeMs,
    });
  }

  get status(): Status {
    return this.server.status;
  }

  get lastZxid(): Zxid {
    return this.server.lastZxid;
  }

  start(): void {
    this.#network.listen<ServerMessage, ClientMessage>(`${hostOf(this.server.sid)}/client`, this.#process, (_from, end) => {
      this.#ends.add(end);
      const port = this.server.accept({
        send: (message) => end.send(message),
        close: () => {
          this.#ends.delete(end);
          end.close();
        },
      });
      return {
        onMessage: (message) => port.receive(message),
        onClose: () => {
          this.#ends.delete(end);
          port.closed();
        },
      };
    });
    this.server.start();
  }

  /** Its clients may not get all that it has sent, and learn of its end late. */
  stop(): void {
    this.#network.unlisten(`${hostOf(this.server.sid)}/client`, this.#process);
    for (const end of this.#ends) {
      const unsent = chance(this.#random, 500) ? between(this.#random, 0, end.outgoing.length) : 0;
      end.vanish({ unsent, delayMs: chance(this.#random, 300) ? millis(this.#random, 0, 2000) : 0 });
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
