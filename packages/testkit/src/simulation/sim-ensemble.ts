/** The servers of a simulation: unchanged machines over simulated ports, with crash, restart, pause and resume. */
import type { Random, VirtualClock } from '@quorate/ports';
import type { Zxid } from '@quorate/protocol';
import type { Config, Effect, Input, Mark, Sid, Status, Storage, Transport, WireViolation } from '@quorate/zab';
import { LogDisk } from '../world/log-disk.js';
import { between, type RandomStreams } from '../world/random-streams.js';
import type { ServerDisk } from '../world/server-disk.js';
import { simFramedTransport } from '../world/sim-byte-transport.js';
import { type DiskObserver, SimDisk, type SimDiskOptions } from '../world/sim-disk.js';
import type { SimNetwork } from '../world/sim-network.js';
import { HostClock, SimProcess } from '../world/sim-process.js';
import { SimTransport, type TransportDirectory } from '../world/sim-transport.js';
import type { Spoil, SpoilFault } from '../world/spoil.js';
import { configOf, type Knobs } from './knobs.js';

/** One life of a server, whatever it is made of. */
export interface Machine {
  readonly status: Status;
  /** The last txn that its state machine has. */
  readonly lastZxid: Zxid;
  start(): void;
  stop(): void;
  /** The whole replicated state, byte for byte. */
  state(): Uint8Array;
  /** Asks a leader to hand over. */
  handOver(to: Sid | undefined): void;
}

/** What a machine is given. */
export interface MachineContext {
  readonly sid: Sid;
  readonly config: Config;
  readonly process: SimProcess;
  readonly transport: Transport;
  readonly storage: Storage;
  readonly random: Random;
  readonly knobs: Knobs;
  readonly onInput: (input: Input) => void;
  readonly onEffect: (effect: Effect) => void;
  readonly onFailure: (error: Error) => void;
}

export interface EnsembleObserver extends DiskObserver {
  onInput(sid: Sid, input: Input): void;
  onEffect(sid: Sid, effect: Effect): void;
  /** A life has ended. */
  onDown(sid: Sid): void;
  /** A server has stopped by itself. */
  onFailure(sid: Sid, error: Error): void;
  /** A byte channel did what it must not. */
  onSpoilt(sid: Sid, fault: SpoilFault): void;
  /** A server has found that. */
  onViolation(sid: Sid, violation: WireViolation): void;
}

/** With which every voter of a simulation begins: its ensemble has been founded. */
const MARK: Mark = { ensembleId: 'simulated' };

export interface SimEnsembleOptions<M extends Machine> {
  readonly knobs: Knobs;
  readonly clock: VirtualClock;
  readonly streams: RandomStreams;
  readonly network: SimNetwork;
  readonly observer: EnsembleObserver;
  readonly createMachine: (context: MachineContext) => M;
  /** Puts something between a machine and its ports: for tests of the checkers. */
  readonly wrapStorage?: ((storage: Storage, sid: Sid, process: SimProcess) => Storage) | undefined;
  readonly wrapTransport?: ((transport: Transport, sid: Sid) => Transport) | undefined;
}

interface Seat<M> {
  readonly sid: Sid;
  readonly disk: ServerDisk;
  readonly clock: HostClock;
  process: SimProcess | undefined;
  machine: M | undefined;
}

export class SimEnsemble<M extends Machine> {
  readonly config: Config;
  /** Voters and observers. */
  readonly sids: readonly Sid[];
  readonly #options: SimEnsembleOptions<M>;
  readonly #seats = new Map<Sid, Seat<M>>();
  readonly #directory: TransportDirectory = { current: new Map() };
  readonly #spoil: Spoil;
  readonly #transportRandom: Random;
  readonly #machineRandom: Random;

  constructor(options: SimEnsembleOptions<M>) {
    this.#options = options;
    const { knobs, clock, streams, observer } = options;
    this.config = configOf(knobs);
    this.sids = [...this.config.voters, ...(this.config.observers ?? [])];
    this.#spoil = { permille: knobs.spoilPermille };
    this.#transportRandom = streams.stream('transport');
    this.#machineRandom = streams.stream('machines');
    const skew = streams.stream('wall clocks');
    for (const sid of this.sids) {
      const diskOptions: SimDiskOptions = {
        sid,
        clock,
        random: streams.stream(`disk ${sid}`),
        observer,
        flushMinMs: knobs.flushMinMs,
        flushMaxMs: knobs.flushMaxMs,
        spikePermille: knobs.flushSpikePermille,
        mark: this.config.voters.includes(sid) ? MARK : undefined,
      };
      const disk = knobs.logDisks ? new LogDisk(diskOptions) : new SimDisk(diskOptions);
      this.#seats.set(sid, { sid, disk, clock: new HostClock(clock, between(skew, -5000, 5000)), process: undefined, machine: undefined });
    }
  }

  /** The machine of a server that is up. */
  machine(sid: Sid): M | undefined {
    return this.#seats.get(sid)?.machine;
  }

  process(sid: Sid): SimProcess | undefined {
    return this.#seats.get(sid)?.process;
  }

  isUp(sid: Sid): boolean {
    return this.machine(sid) !== undefined;
  }

  isPaused(sid: Sid): boolean {
    return this.process(sid)?.isPaused === true;
  }

  /** The serving leader, of the highest epoch where two believe that they are. */
  get leader(): Sid | undefined {
    let best: Sid | undefined;
    let epoch = -1;
    for (const sid of this.sids) {
      const status = this.machine(sid)?.status;
      if (status === undefined || !status.serving || status.state !== 'LEADING' || status.epoch <= epoch) continue;
      best = sid;
      epoch = status.epoch;
    }
    return best;
  }

  start(sid: Sid): void {
    const seat = this.#seats.get(sid) as Seat<M>;
    if (seat.machine !== undefined) return;
    const { clock, observer, knobs, createMachine, wrapStorage, wrapTransport } = this.#options;
    const process = new SimProcess(clock, seat.clock);
    const transport = this.#transport(sid, process);
    const storage = seat.disk.open(process);
    seat.process = process;
    seat.machine = createMachine({
      sid,
      config: this.config,
      process,
      transport: wrapTransport?.(transport, sid) ?? transport,
      storage: wrapStorage?.(storage, sid, process) ?? storage,
      random: this.#machineRandom,
      knobs,
      onInput: (input) => observer.onInput(sid, input),
      onEffect: (effect) => observer.onEffect(sid, effect),
      onFailure: (error) => {
        observer.onFailure(sid, error);
        this.#ended(seat);
      },
    });
    seat.machine.start();
  }

  /** Ends a server without a goodbye, between two of its turns or between two effects of one. */
  crash(sid: Sid): void {
    const seat = this.#seats.get(sid) as Seat<M>;
    if (seat.machine === undefined) return;
    seat.machine.stop();
    this.#ended(seat);
  }

  pause(sid: Sid): void {
    this.process(sid)?.pause();
  }

  resume(sid: Sid): void {
    this.process(sid)?.resume();
  }

  disk(sid: Sid): ServerDisk {
    return (this.#seats.get(sid) as Seat<M>).disk;
  }

  setClockRate(sid: Sid, rate: number): void {
    (this.#seats.get(sid) as Seat<M>).clock.rate = rate;
  }

  jumpWallClock(sid: Sid, byMs: number): void {
    (this.#seats.get(sid) as Seat<M>).clock.wallSkewMs += byMs;
  }

  /** What the monotonic clock of a server's machine shows. */
  clockOf(sid: Sid): number {
    return (this.#seats.get(sid) as Seat<M>).clock.now();
  }

  /** From now on the disk and the clocks of a server are as good as they should be, and it does not stand still. */
  calm(sid: Sid): void {
    const { disk, clock, process } = this.#seats.get(sid) as Seat<M>;
    disk.calm();
    clock.rate = 1;
    process?.resume();
  }

  /** From now on byte channels do what they must. */
  calmChannels(): void {
    this.#spoil.permille = 0;
  }

  #transport(sid: Sid, process: SimProcess): Transport {
    const { network, knobs, observer } = this.#options;
    const common = { sid, network, process, random: this.#transportRandom };
    if (!knobs.framed) return new SimTransport({ ...common, directory: this.#directory });
    return simFramedTransport({
      ...common,
      spoil: this.#spoil,
      ensembleId: MARK.ensembleId,
      answerTimeoutMs: knobs.tickTimeMs * 2,
      onSpoilt: (fault) => observer.onSpoilt(sid, fault),
      onViolation: (violation) => observer.onViolation(sid, violation),
    });
  }

  #ended(seat: Seat<M>): void {
    seat.process?.end();
    seat.process = undefined;
    seat.machine = undefined;
    this.#options.observer.onDown(seat.sid);
  }
}
