/** One client of the simulation: an unchanged `ClientMachine`, what it asks for, and what becomes of it. */
import { Call, ClientMachine, type SessionIdentity } from '@quorate/client';
import type { Random, VirtualClock } from '@quorate/ports';
import { type AuthRequest, type ErrorName, OpCode, type ReplyMessage, type Request } from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import { ANN, BOB, type Identity } from '../check/identities.js';
import type { Verdict } from '../check/verdict.js';
import type { Knobs } from '../simulation/knobs.js';
import { between, chance, millis, pick } from '../world/random-streams.js';
import { SimProcess } from '../world/sim-process.js';
import type { ClientEnd, ClientWire } from './client-wire.js';
import { Operations } from './operations.js';
import type { TreeSketch } from './tree-sketch.js';

/** Requests that a client lets stand unanswered before it waits. */
const UNANSWERED_MAX = 12;

/** What a client proves from the start. */
const WHO: readonly (readonly Identity[])[] = [[], [], [ANN], [ANN], [BOB], [ANN, BOB]];

export interface SimClientOptions {
  readonly id: number;
  readonly knobs: Knobs;
  readonly clock: VirtualClock;
  readonly random: Random;
  /** For the machine itself, so that the work does not change with it. */
  readonly machineRandom: Random;
  readonly wire: ClientWire;
  readonly sids: readonly Sid[];
  /** What all clients believe together. */
  readonly sketch: TreeSketch;
  readonly verdict: Verdict;
}

export class SimClient {
  readonly id: number;
  readonly #options: SimClientOptions;
  readonly #random: Random;
  readonly #operations: Operations;
  #process: SimProcess | undefined;
  #machine: ClientMachine | undefined;
  #ends = new Set<ClientEnd>();
  #closing = false;
  #settled = false;
  /** Until then it asks for nothing by itself. */
  #quietUntilMs = 0;

  constructor(options: SimClientOptions) {
    this.id = options.id;
    this.#options = options;
    this.#random = options.random;
    const { random, sketch, knobs } = options;
    this.#operations = new Operations({ random, sketch, ttlMs: knobs.ttlTicksMin * knobs.tickTimeMs, quotas: knobs.quotas !== 'none' });
  }

  get process(): SimProcess | undefined {
    return this.#process;
  }

  get sessionId(): bigint {
    return this.#machine?.sessionId ?? 0n;
  }

  /** What proves the session its own; undefined while it has none. */
  get session(): SessionIdentity | undefined {
    const machine = this.#machine;
    return machine === undefined || machine.sessionId === 0n ? undefined : { id: machine.sessionId, password: machine.password };
  }

  /** Where its newest connection goes, open or not yet; undefined while it has none. */
  get serverHost(): string | undefined {
    return [...this.#ends].at(-1)?.peerHost;
  }

  /** Whether it is connected and not about to leave. */
  get isReady(): boolean {
    return this.#machine?.state === 'CONNECTED' && !this.#closing;
  }

  start(): void {
    this.#open();
    this.#work();
  }

  /** Takes up nothing new. */
  settle(): void {
    this.#settled = true;
  }

  /** Ends without a goodbye; a new client comes after a while, with a session of its own. */
  crash(): void {
    if (this.#process === undefined) return;
    for (const end of this.#ends)
      end.vanish({
        unsent: between(this.#random, 0, end.outgoing.length),
        delayMs: chance(this.#random, 300) ? millis(this.#random, 0, 3000) : 0,
      });
    this.#machine?.abandon();
    this.#process.end();
    this.#gone();
  }

  /** Loses its connection, by no fault of its own. */
  cut(): boolean {
    const open = [...this.#ends];
    for (const end of open) end.reset();
    return open.length > 0;
  }

  /** Asks for so many things at once, where it is connected. */
  askFor(count: number): void {
    if (this.isReady) for (let i = 0; i < count; i++) this.#ask(this.#operations.next());
  }

  /** Asks for nothing by itself for a while. */
  rest(ms: number): void {
    this.#quietUntilMs = this.#options.clock.now() + ms;
  }

  /** Submits one request; `done` hears the reply, or that none will come. */
  submit(request: Request, done: (reply: ReplyMessage | undefined) => void): void {
    this.#machine?.submit(new SimCall(request, this.#options.verdict, done));
  }

  #open(): void {
    const { clock, knobs, wire, id, machineRandom } = this.#options;
    const process = new SimProcess(clock);
    this.#ends = new Set();
    this.#closing = false;
    this.#process = process;
    this.#machine = new ClientMachine({
      connector: wire.connector({ client: id, process, sids: this.#known(), ends: this.#ends }),
      clock: process,
      random: machineRandom,
      sessionTimeoutMs: knobs.sessionTimeoutTicks * knobs.tickTimeMs,
      canBeReadOnly: knobs.readOnlyMode && chance(this.#random, 700),
      onState: (state) => {
        if (state === 'EXPIRED' || state === 'CLOSED' || state === 'AUTH_FAILED') process.defer(() => this.#gone());
      },
    });
    this.#machine.start();
    for (const identity of pick(this.#random, WHO)) this.#prove(identity);
  }

  /** The servers that it tries. Where its own server alone knows its session, it had better come back to that. */
  #known(): readonly Sid[] {
    const { knobs, sids } = this.#options;
    if (knobs.sessions === 'ensemble' || chance(this.#random, 300)) return sids;
    const home = pick(this.#random, sids);
    return [...sids, ...sids.map(() => home)];
  }

  #gone(): void {
    if (this.#machine === undefined) return;
    this.#machine = undefined;
    this.#process = undefined;
    this.#options.clock.setTimer(millis(this.#random, 1, 500), () => {
      if (this.#machine === undefined) this.#open();
    });
  }

  #work(): void {
    const { clock, knobs } = this.#options;
    if (this.#settled) return;
    clock.setTimer(millis(this.#random, 1, knobs.thinkMs * 2), () => this.#work());
    const machine = this.#machine;
    if (machine === undefined || this.#process?.isPaused === true || this.#closing || machine.pending >= UNANSWERED_MAX) return;
    if (clock.now() < this.#quietUntilMs) return;
    if (chance(this.#random, 3)) {
      // What was asked for just before is still on its way when the session ends, and must go with it (ZOOKEEPER-1208).
      for (let i = between(this.#random, 0, 3); i > 0; i--) this.#ask(this.#operations.ephemeral());
      this.#closing = true;
      machine.close(() => {});
      return;
    }
    if (chance(this.#random, 15)) for (const request of this.#operations.restriction()) this.#ask(request);
    if (chance(this.#random, 12)) {
      // What is asked before a proof, and waits, is not judged by it.
      for (const request of this.#operations.beforeProof()) this.#ask(request);
      this.#prove(pick(this.#random, [ANN, BOB]));
    }
    if (chance(this.#random, 1)) this.#prove(undefined);
    // Some speak in bursts, so that requests are on their way together.
    const count = chance(this.#random, 150) ? between(this.#random, 2, 5) : 1;
    for (let i = 0; i < count; i++) this.#ask(this.#operations.next());
  }

  /** On this connection and every later one; by a scheme that nobody knows where there is nothing to prove, which ends the client. */
  #prove(identity: Identity | undefined): void {
    const auth = identity?.auth ?? new Uint8Array(0);
    const request: AuthRequest = { type: OpCode.auth, authType: 0, scheme: identity === undefined ? 'nobody' : 'digest', auth };
    this.#machine?.addAuth(new SimCall(request, this.#options.verdict, () => {}) as SimCall & { readonly request: AuthRequest });
  }

  #ask(request: Request): void {
    this.submit(request, (reply) => {
      if (reply === undefined) return;
      this.#options.sketch.heard(request, reply);
      if (request.type === OpCode.sync) this.submit({ type: OpCode.getData, path: request.path, watch: false }, () => {});
    });
  }
}

function hearNothing(): void {}

/** A call that is told its outcome exactly once, and is not lied to about whether it was sent. */
class SimCall extends Call {
  readonly #verdict: Verdict;
  readonly #done: (reply: ReplyMessage | undefined) => void;
  #outcomes = 0;

  constructor(request: Request, verdict: Verdict, done: (reply: ReplyMessage | undefined) => void) {
    // The watcher does nothing; the client registers the watch for it.
    super(request, request.type === OpCode.addWatch || ('watch' in request && request.watch) ? hearNothing : undefined);
    this.#verdict = verdict;
    this.#done = done;
  }

  override onReply(reply: ReplyMessage): void {
    this.#once();
    this.#done(reply);
  }

  override onFailure(code: ErrorName): void {
    this.#once();
    if (code !== 'CONNECTION_LOSS' && this.xid !== 0)
      this.#verdict.fail('KnownOutcome', `request ${this.xid} was sent, and its caller is told ${code}, which says that it had no effect`);
    this.#done(undefined);
  }

  #once(): void {
    if (++this.#outcomes > 1) this.#verdict.fail('KnownOutcome', `request ${this.xid} has two outcomes`);
  }
}
