/** A step in words. */
import type { Notification, Sid } from '@quorate/zab';
import { describeMessage, describeRun } from '../trace/describe-message.js';
import type { Action } from './actions.js';
import { name } from './properties.js';
import type { LaneOrder } from './store.js';
import type { World } from './world.js';

export function describeAction(world: World, action: Action): string {
  switch (action.type) {
    case 'receive':
    case 'close':
      return onWire(world, action);
    case 'notify': {
      const notification = world.mail[(action.from - 1) * world.servers.length + action.to - 1];
      return `S${action.from} → S${action.to} ${notification === undefined ? '' : inWords(notification)}`;
    }
    case 'complete':
      return `S${action.sid} flushed: ${ordersOf(world, action.sid).slice(0, action.count).map(describeOrder).join(', ')}`;
    case 'answer':
      return `S${action.sid} takes what it has asked for`;
    case 'timer':
      return `S${action.sid} timer ${action.name}`;
    case 'propose':
      return `S${action.sid} proposes`;
    case 'crash': {
      const orders = ordersOf(world, action.sid).map(describeOrder);
      const kept = orders.slice(0, action.flushed).join(', ') || 'nothing';
      return orders.length === 0
        ? `S${action.sid} crashes`
        : `S${action.sid} crashes; of what was ordered it has flushed ${kept}, and not ${orders.slice(action.flushed).join(', ') || 'nothing'}`;
    }
    case 'beat':
      return `S${action.sid} ticks`;
    case 'handOver':
      return `S${action.sid} shall hand over`;
    case 'wipe':
      return `the store of S${action.sid} is lost`;
    case 'restart':
      return `S${action.sid} restarts`;
    case 'cut': {
      const wire = world.wires[action.wire];
      return `the channel S${wire?.learner} → S${wire?.leader} is cut`;
    }
    case 'elect':
      return `S${action.members.join(', S')} hold an election`;
  }
}

function onWire(world: World, action: Action & { readonly type: 'receive' | 'close' }): string {
  const wire = world.wires[action.wire];
  if (wire === undefined) return 'no such channel';
  const { learner, leader, opened } = wire;
  const arrow = action.end === 'learner' ? `S${leader} → S${learner}` : `S${learner} → S${leader}`;
  if (action.type === 'close') {
    const lost = action.end === 'learner' ? wire.toLearner : wire.toLeader;
    return `${arrow} close${lost.length === 0 ? '' : `; lost: ${lost.map((message) => describeMessage(message, name)).join(', ')}`}`;
  }
  const message = action.end === 'learner' ? wire.toLearner[0] : wire.toLeader[0];
  return `${arrow} ${(action.end === 'leader' && !opened) || message === undefined ? 'open' : describeMessage(message, name)}`;
}

function ordersOf(world: World, sid: Sid): readonly LaneOrder[] {
  return world.servers[sid - 1]?.lane ?? [];
}

function inWords({ state, electionEpoch, vote }: Notification): string {
  return `${state} round ${electionEpoch} vote ${vote.leader} (${name(vote.zxid)} of epoch ${vote.peerEpoch})`;
}

function describeOrder(order: LaneOrder): string {
  switch (order.type) {
    case 'append':
      return `append ${describeRun(order.run, name)}`;
    case 'truncate':
      return `truncate to ${name(order.zxid)}`;
    case 'saveAcceptedEpoch':
      return `acceptedEpoch ${order.epoch}`;
    case 'saveCurrentEpoch':
      return `currentEpoch ${order.epoch}`;
    case 'mend':
      return ['mend', ...order.runs.map((run) => describeRun(run, name))].join(' ');
    case 'saveMark':
      return 'mark';
    case 'installSnapshot':
      return ['snapshot', name(order.snapshot.zxid), ...order.runs.map((run) => describeRun(run, name))].join(' ');
  }
}
