/**
 * An election as one step: some servers tell one another what they have to tell, in the order of their numbers and to the end, and nobody else hears of
 * it. Where the scope begins later, their discovery is part of the step, up to the promises, which are on their way then. The shipped core decides;
 * only the interleavings within the step are left out.
 */
import type { Sid } from '@quorate/zab';
import type { Draft } from './draft.js';

const NOTIFICATIONS_MAX = 1_000;

/** False where nobody who was looking has decided: the step comes to nothing. */
export function elect(draft: Draft, members: readonly Sid[]): boolean {
  const looking = members.filter((sid) => isLooking(draft, sid));
  draft.notifications = [];
  for (const sid of looking) if (isLooking(draft, sid) && draft.server(sid).timers.election !== 'off') draft.fire(sid, 'election');
  for (let said = 0; ; said++) {
    if (said > NOTIFICATIONS_MAX) throw new Error('an election does not come to its end');
    const next = draft.notifications.shift();
    if (next !== undefined) {
      if (members.includes(next.to)) draft.input(next.to, { type: 'notification', from: next.from, notification: next.notification });
      continue;
    }
    const waiting = looking.find((sid) => draft.servers[sid - 1]?.timers.finalize === true);
    if (waiting === undefined) break;
    draft.fire(waiting, 'finalize');
  }
  draft.notifications = undefined;
  if (!looking.some((sid) => !isLooking(draft, sid))) return false;
  if (draft.scope.from === 'discovered') discover(draft, members);
  return true;
}

function discover(draft: Draft, members: readonly Sid[]): void {
  for (let found = true; found; ) {
    found = false;
    for (const [index, { learner, leader, leaderOpen, learnerOpen, opened, toLeader, toLearner }] of draft.wires.entries()) {
      if (!members.includes(learner) || !members.includes(leader) || !leaderOpen || !learnerOpen) continue;
      const toDiscovery = !opened || toLeader[0]?.type === 'FOLLOWERINFO';
      if (!toDiscovery && toLearner[0]?.type !== 'LEADERINFO') continue;
      draft.receive(index, toDiscovery ? 'leader' : 'learner');
      found = true;
      // The channels may have changed.
      break;
    }
    for (const sid of members) {
      const promise = draft.servers[sid - 1]?.lane.findIndex(({ type }) => type === 'saveAcceptedEpoch') ?? -1;
      if (promise === -1) continue;
      draft.complete(sid, promise + 1);
      found = true;
    }
  }
}

function isLooking(draft: Draft, sid: Sid): boolean {
  return draft.servers[sid - 1]?.peer?.status.state === 'LOOKING';
}
