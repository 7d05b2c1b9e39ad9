/**
 * A world of the model: a few servers, the channels between them, their stores, and what the properties have to remember.
 *
 * Worlds are immutable and share what they have in common; a step copies the server and the channels that it touches. Equal worlds have equal
 * fingerprints: what only paces a timer, or numbers a channel, is left out of them, because here any timer may fire at any time and a server is
 * never given a message of a channel that it has left.
 */
import type { Zxid } from '@quorate/protocol';
import type { ChannelId, Input, Message, Notification, Peer, Sid, TimerName } from '@quorate/zab';
import type { Print, Printer } from './print.js';
import type { Used } from './scope.js';
import type { Entry, LaneOrder, Store } from './store.js';

export interface Server {
  readonly sid: Sid;
  /** Undefined while it is down. */
  peer: Peer | undefined;
  store: Store;
  /** Ordered and not completed. */
  lane: readonly LaneOrder[];
  timers: Timers;
  /** What its application has answered and it has not yet taken. */
  answers: readonly Input[];
  /** How many entries of the global log its application has. */
  applied: number;
  /** What its stores had when they were lost. What was acknowledged by then counts, though it is nowhere any more. */
  lost: readonly Store[];
  /** The highest epoch that it has promised to an own, counted ACKEPOCH; over all its lives. */
  promised: number;
  print: Print;
}

/** `paced`: the first word of a try that follows a failed one; the timer has to fire for anything to happen. */
export type Timers = Readonly<Record<Exclude<TimerName, 'election'>, boolean> & { election: 'off' | 'paced' | 'again' }>;

export const NO_TIMERS: Timers = { election: 'off', finalize: false, init: false, mend: false, tick: false };

/** A learner channel. An end that has closed, or has been told, is shut; the other may still be given a prefix of what was sent. */
export interface Wire {
  readonly learner: Sid;
  readonly leader: Sid;
  readonly near: ChannelId;
  readonly far: ChannelId;
  toLeader: readonly Message[];
  toLearner: readonly Message[];
  /** Whether the leader has been told of it. */
  opened: boolean;
  learnerOpen: boolean;
  leaderOpen: boolean;
  cut: boolean;
  // What the learner has been told on it, for the properties.
  /** The epoch of LEADERINFO. */
  invited: number;
  /** The end of the history that has come; fixed by NEWLEADER. */
  historyEnd: Zxid;
  newLeaderReceived: boolean;
  newLeaderAcked: boolean;
  print: Print;
}

export interface Establishment {
  readonly epoch: number;
  readonly leader: Sid;
  /** The leader's history at that moment. */
  readonly initial: readonly Entry[];
}

export interface World {
  /** By sid − 1. */
  readonly servers: readonly Server[];
  /** By learner, leader, and number at the leader. */
  readonly wires: readonly Wire[];
  /** The latest notification from one server to another, at (from − 1) × servers + to − 1. */
  readonly mail: readonly (Notification | undefined)[];
  /** What has been delivered anywhere, in the order of the first delivery. */
  readonly committed: readonly Entry[];
  readonly established: readonly Establishment[];
  /** What was ever proposed, by its content. */
  readonly proposed: readonly Entry[];
  readonly used: Used;
}

export function printOfServer(printer: Printer, server: Server): Print {
  const { store, lane, timers, answers, applied, promised, lost, peer } = server;
  if (peer === undefined) return printer.print(store, promised, lost);
  const { role, state, status } = peer;
  // Timers fire whenever they like here, so the lengths of pauses, and counts that only set them, decide nothing. A learner is given nothing but of its one
  // channel, so the number of that is only a name.
  // Whom a server asks for what its store lacks comes round again, and every second round is another.
  const { mending } = state;
  const turn = 2 * Math.max(1, peer.config.voters.length - 1);
  const canonicalMending = mending && { ...mending, asked: mending.asked % turn, channel: mending.channel === undefined ? undefined : 0 };
  const canonicalState = { ...state, channelsOpened: 0, failedTries: state.failedTries > 0, mending: canonicalMending };
  const canonicalRole = { ...role.state, channel: 0, resends: 0, announced: false };
  return printer.print(store, promised, lost, lane, timers, answers, applied, status, role.name, canonicalState, canonicalRole);
}

export function printOfWire(printer: Printer, wire: Wire): Print {
  return printer.print({ ...wire, near: 0, print: 0 });
}

export function printOfWorld(printer: Printer, world: World): Print {
  const { servers, wires, mail, committed, used, established } = world;
  const parts: number[] = [];
  for (const { print } of servers) parts.push(print.low, print.high);
  for (const { print } of wires) parts.push(print.low, print.high);
  return printer.print(parts, mail, committed, used, established);
}
