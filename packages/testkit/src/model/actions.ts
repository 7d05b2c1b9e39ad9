/** What may happen next in a world, and what comes of it. */
import type { Sid, TimerName } from '@quorate/zab';
import { Draft } from './draft.js';
import { elect } from './elect.js';
import type { Printer } from './print.js';
import type { Scope } from './scope.js';
import type { Server, Wire, World } from './world.js';

export type Action =
  /** The oldest thing on a channel arrives at one of its ends: the opening, or a message. */
  | { readonly type: 'receive'; readonly wire: number; readonly end: 'learner' | 'leader' }
  /** One end learns that the other has closed, and never gets what was still on the way. */
  | { readonly type: 'close'; readonly wire: number; readonly end: 'learner' | 'leader' }
  | { readonly type: 'notify'; readonly from: Sid; readonly to: Sid }
  /** The oldest `count` orders are flushed and completed. */
  | { readonly type: 'complete'; readonly sid: Sid; readonly count: number }
  /** The application has answered `takeSnapshot`. */
  | { readonly type: 'answer'; readonly sid: Sid }
  | { readonly type: 'timer'; readonly sid: Sid; readonly name: TimerName; readonly spends: boolean }
  | { readonly type: 'propose'; readonly sid: Sid }
  /** A leader ticks, and has just heard all that follow it. */
  | { readonly type: 'beat'; readonly sid: Sid }
  | { readonly type: 'handOver'; readonly sid: Sid }
  /** The oldest `flushed` orders are on the disk, and the server is gone. */
  | { readonly type: 'crash'; readonly sid: Sid; readonly flushed: number }
  /** A server that is down loses its store. */
  | { readonly type: 'wipe'; readonly sid: Sid }
  | { readonly type: 'restart'; readonly sid: Sid }
  | { readonly type: 'cut'; readonly wire: number }
  /** Some servers hold an election, or let others join what they have elected, in one step. */
  | { readonly type: 'elect'; readonly members: readonly Sid[] };

/** Everything that may happen, in an order that depends on the world alone. */
export function actionsOf(world: World, scope: Scope): Action[] {
  const actions: Action[] = [];
  world.wires.forEach((wire, index) => addWireActions(actions, { wire, index, canCut: world.used.cuts < scope.cuts }));
  for (const server of world.servers) addServerActions(actions, { server, world, scope });
  const { servers } = scope;
  world.mail.forEach((notification, at) => {
    if (notification !== undefined) actions.push({ type: 'notify', from: Math.floor(at / servers) + 1, to: (at % servers) + 1 });
  });
  if (scope.from !== 'start' && world.used.elections < scope.elections) addElections(actions, world);
  return actions;
}

function addWireActions(actions: Action[], { wire, index, canCut }: { wire: Wire; index: number; canCut: boolean }): void {
  if (wire.leaderOpen && (!wire.opened || wire.toLeader.length > 0)) actions.push({ type: 'receive', wire: index, end: 'leader' });
  if (wire.learnerOpen && wire.toLearner.length > 0) actions.push({ type: 'receive', wire: index, end: 'learner' });
  if (wire.leaderOpen && (!wire.learnerOpen || wire.cut)) actions.push({ type: 'close', wire: index, end: 'leader' });
  if (wire.learnerOpen && (!wire.leaderOpen || wire.cut)) actions.push({ type: 'close', wire: index, end: 'learner' });
  if (canCut && wire.learnerOpen && wire.leaderOpen && !wire.cut) actions.push({ type: 'cut', wire: index });
}

function addServerActions(actions: Action[], { server, world, scope }: { server: Server; world: World; scope: Scope }): void {
  const { sid, peer, lane, timers, answers } = server;
  const { used } = world;
  if (peer === undefined) {
    actions.push({ type: 'restart', sid });
    if (used.wipes < scope.wipes && server.store.marked) actions.push({ type: 'wipe', sid });
    return;
  }
  for (let count = 1; count <= lane.length; count++) actions.push({ type: 'complete', sid, count });
  if (answers.length > 0) actions.push({ type: 'answer', sid });
  if (timers.finalize && scope.from === 'start') actions.push({ type: 'timer', sid, name: 'finalize', spends: false });
  if (timers.election === 'paced' && scope.from === 'start') actions.push({ type: 'timer', sid, name: 'election', spends: false });
  if (used.timeouts < scope.timeouts) {
    if (timers.election === 'again' && scope.from === 'start') actions.push({ type: 'timer', sid, name: 'election', spends: true });
    // The pause before all are asked again, or whoever is asked does not answer.
    if (timers.mend) actions.push({ type: 'timer', sid, name: 'mend', spends: true });
    if (timers.init) actions.push({ type: 'timer', sid, name: 'init', spends: true });
    if (timers.tick) actions.push({ type: 'timer', sid, name: 'tick', spends: true });
  }
  if (peer.status.state === 'LEADING' && peer.status.serving) {
    if (used.txns < scope.txns) actions.push({ type: 'propose', sid });
    if (used.beats < scope.beats && timers.tick) actions.push({ type: 'beat', sid });
    if (used.handOvers < scope.handOvers) actions.push({ type: 'handOver', sid });
  }
  if (used.crashes < scope.crashes) for (let flushed = 0; flushed <= lane.length; flushed++) actions.push({ type: 'crash', sid, flushed });
}

function addElections(actions: Action[], { servers }: World): void {
  for (let mask = 1; mask < 1 << servers.length; mask++) {
    const members = servers.filter(({ sid, peer }) => (mask & (1 << (sid - 1))) !== 0 && peer !== undefined);
    if (members.length !== bits(mask) || members.length * 2 <= servers.length) continue;
    if (members.some(({ peer }) => peer?.status.state === 'LOOKING'))
      actions.push({ type: 'elect', members: members.map(({ sid }) => sid) });
  }
}

function bits(mask: number): number {
  return mask === 0 ? 0 : (mask & 1) + bits(mask >> 1);
}

/**
 * The world after an action; undefined where it comes to nothing.
 *
 * @throws PropertyViolation where a property does not hold.
 */
export function perform(
  world: World,
  action: Action,
  { scope, printer }: { readonly scope: Scope; readonly printer: Printer },
): World | undefined {
  const draft = new Draft(world, scope);
  switch (action.type) {
    case 'receive':
      draft.receive(action.wire, action.end);
      break;
    case 'close':
      draft.close(action.wire, action.end);
      break;
    case 'notify': {
      const notification = draft.takeMail(action.from, action.to);
      draft.input(action.to, { type: 'notification', from: action.from, notification });
      break;
    }
    case 'complete':
      draft.complete(action.sid, action.count);
      break;
    case 'answer':
      draft.answer(action.sid);
      break;
    case 'timer':
      if (action.spends) draft.spend('timeouts');
      draft.fire(action.sid, action.name);
      break;
    case 'propose':
      draft.propose(action.sid);
      break;
    case 'beat':
      draft.spend('beats');
      draft.beat(action.sid);
      break;
    case 'handOver':
      draft.spend('handOvers');
      draft.input(action.sid, { type: 'handOver', to: undefined });
      break;
    case 'wipe':
      draft.spend('wipes');
      draft.wipe(action.sid);
      break;
    case 'crash':
      draft.spend('crashes');
      draft.crash(action.sid, action.flushed);
      break;
    case 'restart':
      draft.start(action.sid);
      break;
    case 'cut':
      draft.spend('cuts');
      draft.wire(action.wire).cut = true;
      break;
    case 'elect':
      draft.spend('elections');
      if (!elect(draft, action.members)) return undefined;
      break;
  }
  return draft.finish(printer);
}
