/**
 * One step of a world: the parts that it touches are copied, inputs go to the shipped core, its effects are performed, and the properties are asked.
 */
import { InvariantError } from '@quorate/protocol';
import {
  type ChannelId,
  DEFAULT_LIMITS,
  type Effect,
  type Input,
  type Message,
  type Notification,
  Peer,
  type Sid,
  type TimerName,
} from '@quorate/zab';
import type { Printer } from './print.js';
import {
  checkDelivery,
  checkEstablished,
  checkFlushed,
  checkProposal,
  checkRestore,
  checkSentToLeader,
  checkSentToLearner,
  checkServes,
  type Ghosts,
} from './properties.js';
import type { Scope, Used } from './scope.js';
import { EMPTY_STORE, type Entry, entriesOf, flushed, imageOf, type LaneOrder, lastZxidOfEntries } from './store.js';
import { fail } from './violation.js';
import { NO_TIMERS, printOfServer, printOfWire, type Server, type Wire, type World } from './world.js';

/** Limits of zero: a tick that fires is one too many, so `tick` stands for silence of any length. */
const TIMING = { tickTimeMs: 2, initLimit: 0, syncLimit: 0 };

export class Draft implements Ghosts {
  readonly scope: Scope;
  readonly servers: Server[];
  readonly #copied = new Set<Server | Wire>();
  #wires: Wire[];
  #mail: readonly (Notification | undefined)[];
  committed: readonly Entry[];
  established: World['established'];
  proposed: readonly Entry[];
  used: Used;
  /** Where an election is one step: what has been said in it. Undefined in every other step. */
  notifications: { readonly from: Sid; readonly to: Sid; readonly notification: Notification }[] | undefined;

  constructor(world: World, scope: Scope) {
    this.scope = scope;
    this.servers = world.servers.slice();
    this.#wires = world.wires.slice();
    this.#mail = world.mail;
    this.committed = world.committed;
    this.established = world.established;
    this.proposed = world.proposed;
    this.used = world.used;
  }

  finish(printer: Printer): World {
    for (const one of this.#copied) one.print = 'sid' in one ? printOfServer(printer, one) : printOfWire(printer, one);
    const { servers, committed, established, proposed, used } = this;
    return { servers, wires: this.#wires, mail: this.#mail, committed, established, proposed, used };
  }

  spend(what: keyof Used): void {
    this.used = { ...this.used, [what]: this.used[what] + 1 };
  }

  /** The copy of a server that this step may change. */
  server(sid: Sid): Server {
    const server = this.servers[sid - 1] as Server;
    if (this.#copied.has(server)) return server;
    const copy = { ...server, peer: server.peer?.clone() };
    this.#copied.add(copy);
    this.servers[sid - 1] = copy;
    return copy;
  }

  get wires(): readonly Wire[] {
    return this.#wires;
  }

  wire(index: number): Wire {
    const wire = this.#wires[index] as Wire;
    if (this.#copied.has(wire)) return wire;
    const copy = { ...wire };
    this.#copied.add(copy);
    this.#wires[index] = copy;
    return copy;
  }

  takeMail(from: Sid, to: Sid): Notification {
    const at = (from - 1) * this.scope.servers + to - 1;
    const notification = this.#mail[at] as Notification;
    this.#mail = this.#mail.with(at, undefined);
    return notification;
  }

  // What happens to a server

  start(sid: Sid): void {
    const server = this.server(sid);
    const voters = Array.from({ length: this.scope.servers }, (_, i) => i + 1);
    try {
      const config = { version: 0, voters };
      const limits = { ...DEFAULT_LIMITS, ...(this.scope.epochTxnsMax !== undefined && { epochTxnsMax: this.scope.epochTxnsMax }) };
      server.peer = Peer.recover({ sid, config, timing: TIMING, limits, image: imageOf(server.store) });
    } catch (error) {
      if (error instanceof RangeError) fail('StartsUnaided', `server ${sid} does not start: ${error.message}`);
      throw error;
    }
    server.applied = server.store.covered;
    this.input(sid, { type: 'start' });
  }

  /** Drops a server. Of what it had ordered the first `flushedOrders` are on its disk. */
  crash(sid: Sid, flushedOrders: number): void {
    for (let i = 0; i < flushedOrders; i++) this.#flush(sid);
    const server = this.server(sid);
    Object.assign(server, { peer: undefined, lane: [], timers: NO_TIMERS, answers: [], applied: server.store.covered });
    for (let index = this.#wires.length - 1; index >= 0; index--) {
      const { learner, leader } = this.#wires[index] as Wire;
      if (learner === sid) this.#shut(index, 'learner');
      else if (leader === sid) this.#shut(index, 'leader');
    }
    const { servers } = this.scope;
    this.#mail = this.#mail.map((one, at) => (at % servers === sid - 1 ? undefined : one));
  }

  /** A server that is down loses what it has stored. */
  wipe(sid: Sid): void {
    const server = this.server(sid);
    server.lost = [...server.lost, server.store];
    server.store = { ...EMPTY_STORE, marked: false };
    server.applied = 0;
  }

  /** The oldest orders of a server are flushed, and it is told so. */
  complete(sid: Sid, count: number): void {
    for (let i = 0; i < count; i++) this.#flush(sid);
    this.input(sid, { type: 'completed', count });
  }

  #flush(sid: Sid): void {
    const server = this.server(sid);
    const before = server.store;
    server.store = flushed(before, server.lane[0] as LaneOrder, this.committed);
    server.lane = server.lane.slice(1);
    checkFlushed(this, server, before);
  }

  /** Ticks with a limit of zero are silence; here nobody has been silent. */
  beat(sid: Sid): void {
    const { learners } = leaderState(this.server(sid));
    for (const learner of learners.values()) learner.silentHalfTicks = -1;
    this.fire(sid, 'tick');
  }

  fire(sid: Sid, name: TimerName): void {
    const server = this.server(sid);
    server.timers = { ...server.timers, [name]: name === 'election' ? 'off' : false };
    this.input(sid, { type: 'timer', name });
  }

  propose(sid: Sid): void {
    const server = this.server(sid);
    const ordered = server.lane.length;
    this.spend('txns');
    this.input(sid, { type: 'propose', payloads: [Uint8Array.of(this.proposed.length)] });
    const order = server.lane[ordered];
    if (order?.type === 'append') for (const entry of entriesOf([order.run])) checkProposal(this, server, entry);
  }

  answer(sid: Sid): void {
    const server = this.server(sid);
    const answer = server.answers[0] as Input;
    server.answers = server.answers.slice(1);
    this.input(sid, answer);
  }

  input(sid: Sid, input: Input): void {
    const server = this.server(sid);
    const peer = server.peer as Peer;
    try {
      peer.step(input);
      const effects = peer.effects.splice(0);
      const announces = effects.some((effect) => effect.type === 'notify' && effect.notification.state === 'LOOKING');
      for (const effect of effects) this.#perform(server, effect, announces);
      peer.invariants();
    } catch (error) {
      if (error instanceof InvariantError) fail('Invariant', `server ${sid}: ${error.message}`);
      throw error;
    }
  }

  /** The oldest thing on a channel arrives at one of its ends: its opening, or a message. */
  receive(index: number, end: 'learner' | 'leader'): void {
    const wire = this.wire(index);
    const { learner, leader, near, far } = wire;
    if (end === 'learner') {
      const [message, ...rest] = wire.toLearner;
      wire.toLearner = rest;
      if (message !== undefined) noteReceived(wire, message);
      if (message !== undefined) this.input(learner, { type: 'leaderMessage', channel: near, message });
    } else if (!wire.opened) {
      wire.opened = true;
      this.input(leader, { type: 'learnerOpened', from: learner, channel: far });
    } else {
      const [message, ...rest] = wire.toLeader;
      wire.toLeader = rest;
      if (message !== undefined) this.input(leader, { type: 'learnerMessage', channel: far, message });
    }
  }

  /** One end is told that the other has closed, or that it was never reached. */
  close(index: number, end: 'learner' | 'leader'): void {
    const { learner, leader, near, far, opened } = this.wire(index);
    this.#shut(index, end);
    if (end === 'learner') this.input(learner, { type: 'leaderClosed', channel: near });
    else if (opened) this.input(leader, { type: 'learnerClosed', channel: far });
  }

  #perform(server: Server, effect: Effect, announces: boolean): void {
    const { sid } = server;
    switch (effect.type) {
      case 'notify':
        this.#notify(sid, effect.to, effect.notification);
        return;
      case 'openToLeader':
        this.#open(sid, effect.to, effect.channel);
        return;
      case 'sendToLeader':
        this.#sendToLeader(server, effect.channel, effect.message);
        return;
      case 'closeToLeader':
        this.#shutWhere((wire) => wire.learner === sid && wire.near === effect.channel && wire.learnerOpen, 'learner');
        return;
      case 'sendToLearner':
        this.#sendToLearner(server, effect.channel, effect.message);
        return;
      case 'closeToLearner':
        this.#shutWhere((wire) => wire.leader === sid && wire.far === effect.channel && wire.leaderOpen, 'leader');
        return;
      case 'append':
      case 'truncate':
      case 'saveAcceptedEpoch':
      case 'saveCurrentEpoch':
      case 'installSnapshot':
      case 'mend':
      case 'saveMark':
        server.lane = [...server.lane, effect];
        return;
      case 'setTimer':
        if (effect.name === 'election') server.timers = { ...server.timers, election: announces ? 'again' : 'paced' };
        else server.timers = { ...server.timers, [effect.name]: true };
        return;
      case 'cancelTimer':
        server.timers = { ...server.timers, [effect.name]: effect.name === 'election' ? 'off' : false };
        return;
      case 'deliver':
        checkDelivery(this, server, effect.run);
        return;
      case 'restore':
        checkRestore(this, server, effect.snapshot);
        return;
      case 'status':
        if (pauses(server)) server.answers = [...server.answers, { type: 'paused' }];
        if (!effect.status.serving) return;
        if (effect.status.state === 'LEADING') checkEstablished(this, server, effect.status.epoch);
        else checkServes(this, server, effect.status.epoch);
        return;
      case 'readSnapshot': {
        // What the application has now, in one piece; the core takes the answer after whatever else has come meanwhile.
        const zxid = lastZxidOfEntries(this.committed.slice(0, server.applied));
        const bytes = Uint8Array.of(server.applied);
        server.answers = [...server.answers, { type: 'snapshotRead', channel: effect.channel, zxid, bytes, last: true }];
        return;
      }
      case 'awaitRoom':
        server.answers = [...server.answers, { type: 'room', channel: effect.channel }];
        return;
      case 'readLog':
        // The log in memory is whole here: stores are never compacted.
        fail('Invariant', `server ${sid} reads its log above ${effect.after}`);
        return;
      case 'heartbeat':
        server.answers = [...server.answers, { type: 'heartbeat', round: effect.round, payload: new Uint8Array(0) }];
        return;
      case 'request':
      case 'revalidate':
      case 'heartbeatReceived':
      case 'synced':
        return;
    }
  }

  // Channels

  #notify(from: Sid, to: Sid, notification: Notification): void {
    if (this.scope.from !== 'start') this.notifications?.push({ from, to, notification });
    else if (this.servers[to - 1]?.peer !== undefined) this.#mail = this.#mail.with((from - 1) * this.scope.servers + to - 1, notification);
  }

  #open(learner: Sid, leader: Sid, near: ChannelId): void {
    // The smallest number that no channel between the two bears: numbers only name.
    let far = learner;
    while (this.#wires.some((wire) => wire.leader === leader && wire.far === far)) far += 100;
    const wire: Wire = {
      ...{ learner, leader, near, far, toLeader: [], toLearner: [], opened: false, learnerOpen: true, cut: false },
      leaderOpen: this.servers[leader - 1]?.peer !== undefined,
      ...{ invited: 0, historyEnd: lastZxidOfEntries([]), newLeaderReceived: false, newLeaderAcked: false, print: { low: 0, high: 0 } },
    };
    this.#copied.add(wire);
    const key = (one: Wire): number => one.learner * 10_000_000 + one.leader * 100_000 + one.far;
    this.#wires.push(wire);
    this.#wires.sort((a, b) => key(a) - key(b));
  }

  #sendToLeader(server: Server, channel: ChannelId, message: Message): void {
    const index = this.#wires.findIndex((wire) => wire.learner === server.sid && wire.near === channel && wire.learnerOpen);
    if (index === -1) return;
    const wire = this.wire(index);
    checkSentToLeader(server, wire, message);
    if (message.type === 'ACKEPOCH') wire.historyEnd = message.lastZxid;
    if (message.type === 'ACK') wire.newLeaderAcked = true;
    if (wire.leaderOpen && !wire.cut) wire.toLeader = [...wire.toLeader, message];
  }

  #sendToLearner(server: Server, channel: ChannelId, message: Message): void {
    const index = this.#wires.findIndex((wire) => wire.leader === server.sid && wire.far === channel && wire.leaderOpen);
    if (index === -1) return;
    const wire = this.wire(index);
    // Heartbeats are not in the model.
    if (message.type === 'PING') return;
    checkSentToLearner(this, server, { wire, message });
    if (wire.learnerOpen && !wire.cut) wire.toLearner = [...wire.toLearner, message];
  }

  #shutWhere(isMeant: (wire: Wire) => boolean, end: 'learner' | 'leader'): void {
    const index = this.#wires.findIndex(isMeant);
    if (index !== -1) this.#shut(index, end);
  }

  /** One end closes, or is told that the other has: nothing more comes to it. */
  #shut(index: number, end: 'learner' | 'leader'): void {
    const wire = this.wire(index);
    if (end === 'learner') {
      wire.learnerOpen = false;
      wire.toLearner = [];
    } else {
      wire.leaderOpen = false;
      wire.toLeader = [];
    }
    if (wire.learnerOpen || wire.leaderOpen) return;
    this.#copied.delete(wire);
    this.#wires = this.#wires.toSpliced(index, 1);
  }
}

/** What has been said on a channel, as far as the learner knows it. */
function noteReceived(wire: Wire, message: Message): void {
  if (message.type === 'LEADERINFO') Object.assign(wire, { invited: message.epoch, newLeaderReceived: false, newLeaderAcked: false });
  else if (message.type === 'NEWLEADER') wire.newLeaderReceived = true;
  else if (!wire.newLeaderReceived) wire.historyEnd = historyEndAfter(wire, message);
}

/** What the model has to know of a leader's record. */
interface LeaderState {
  readonly pausing: boolean;
  readonly learners: ReadonlyMap<ChannelId, { silentHalfTicks: number }>;
}

function leaderState({ peer }: Server): LeaderState {
  return (peer as Peer).role.state as LeaderState;
}

/** Whether a leader that has served tells its application to propose nothing more. */
function pauses(server: Server): boolean {
  const { state, serving } = (server.peer as Peer).status;
  return state === 'LEADING' && !serving && leaderState(server).pausing;
}

function historyEndAfter(wire: Wire, message: Message): Wire['historyEnd'] {
  if (message.type === 'TRUNC') return message.zxid;
  if (message.type === 'SNAP') return message.zxid;
  if (message.type === 'PROPOSAL') return lastZxidOfEntries(entriesOf([message.run]));
  return wire.historyEnd;
}
