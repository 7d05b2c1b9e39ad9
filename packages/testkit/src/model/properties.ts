/**
 * What must hold, asked at the moment when something could break it, of orders and effects alone (reliability.md 2.1). The global log `committed` is
 * what was delivered anywhere, in the order of the first delivery; a store is what is flushed.
 */
import { counterOf, epochOf, type Zxid } from '@quorate/protocol';
import type { Message, Run, Sid, Snapshot } from '@quorate/zab';
import { beginsWith, containsZxid, coveredBy, type Entry, entriesOf, flushed, lastZxidOfEntries, type Store, sameEntry } from './store.js';
import { fail } from './violation.js';
import type { Establishment, Server, Wire } from './world.js';

/** The part of a world that the properties look at, while a step is being made. */
export interface Ghosts {
  readonly servers: readonly Server[];
  committed: readonly Entry[];
  established: readonly Establishment[];
  proposed: readonly Entry[];
}

/** The history that a server has ordered to be stored. */
function ordered(ghosts: Ghosts, server: Server): Store {
  return server.lane.reduce((store, order) => flushed(store, order, ghosts.committed), server.store);
}

/** Whether this holds of a quorum's stores, of those that count and of those that were lost: such a server had acknowledged, and has no vote any more. */
function isQuorum(ghosts: Ghosts, holds: (store: Store) => boolean): boolean {
  const counted = ghosts.servers.filter(
    ({ store, lost }) => (store.marked && store.behind.length === 0 && holds(store)) || lost.some(holds),
  );
  return counted.length * 2 > ghosts.servers.length;
}

/**
 * A server gives a run to its application. Agreement and Total order: it is what stands next in the global log, or becomes it. Integrity: it was
 * proposed. QuorumDurability: at the first delivery a quorum has it, and all before it, in flushed bytes. AppliedDurable: so has the server itself.
 */
export function checkDelivery(ghosts: Ghosts, server: Server, run: Run): void {
  for (const entry of entriesOf([run])) {
    const next = ghosts.committed[server.applied];
    if (next === undefined) checkCommit(ghosts, entry);
    else if (!sameEntry(next, entry))
      fail('Agreement', `server ${server.sid} delivers ${name(entry.zxid)} where others have ${name(next.zxid)}`);
    server.applied++;
    if (!beginsWith(server.store.entries, ghosts.committed.slice(0, server.applied)))
      fail('AppliedDurable', `server ${server.sid} delivers ${name(entry.zxid)}, which it has not flushed`);
  }
}

function checkCommit(ghosts: Ghosts, entry: Entry): void {
  const { zxid, content } = entry;
  const last = lastZxidOfEntries(ghosts.committed);
  if (ghosts.proposed[content]?.zxid !== zxid) fail('Integrity', `${name(zxid)} was not proposed so`);
  if (zxid <= last) fail('GlobalPrimaryOrder', `${name(zxid)} is delivered after ${name(last)}`);
  if (counterOf(zxid) !== (epochOf(zxid) === epochOf(last) ? counterOf(last) + 1 : 1))
    fail('LocalPrimaryOrder', `${name(zxid)} is delivered after ${name(last)}`);
  for (const { epoch, leader, initial } of ghosts.established) {
    if (epochOf(zxid) < epoch && !initial.some((one) => sameEntry(one, entry)))
      fail('InitialHistoryIntegrity', `${name(zxid)} is committed, but server ${leader} began epoch ${epoch} without it`);
  }
  ghosts.committed = [...ghosts.committed, entry];
  if (!isQuorum(ghosts, ({ entries }) => beginsWith(entries, ghosts.committed)))
    fail('QuorumDurability', `${name(zxid)} is delivered before a quorum has flushed it and all before it`);
}

/** The application gets the state of a snapshot: one that was committed, that is durable here, and that takes nothing back. */
export function checkRestore(ghosts: Ghosts, server: Server, snapshot: Snapshot): void {
  const applied = coveredBy(snapshot);
  if (snapshot.zxid !== lastZxidOfEntries(ghosts.committed.slice(0, applied)))
    fail('CommitConsistency', 'a snapshot does not hold what its zxid says');
  if (server.store.covered < applied) fail('AppliedDurable', `server ${server.sid} restores a snapshot that it has not flushed`);
  server.applied = applied;
}

/**
 * Every step of the storage. CommittedLogDurability: it takes no entry of the global log off the store; with QuorumDurability, at every moment a quorum
 * of stores holds each. HistoryConsistency: two stores that share a zxid share all up to it.
 */
export function checkFlushed(ghosts: Ghosts, server: Server, before: Store): void {
  const { store } = server;
  const held = ghosts.committed.findIndex(
    (entry, index) => before.entries[index] === undefined || !sameEntry(before.entries[index], entry),
  );
  if (!beginsWith(store.entries, held === -1 ? ghosts.committed : ghosts.committed.slice(0, held)))
    fail('CommittedLogDurability', `the store of server ${server.sid} loses what was committed`);
  for (const other of ghosts.servers) checkConsistent(server.sid, store.entries, other.sid, other.store.entries);
}

function checkConsistent(sid: Sid, a: readonly Entry[], other: Sid, b: readonly Entry[]): void {
  const shared = a.findLastIndex(({ zxid }) => b.some((entry) => entry.zxid === zxid));
  if (shared === -1) return;
  const common = a.slice(0, shared + 1);
  const at = b.findIndex(({ zxid }) => zxid === a[shared]?.zxid);
  if (at !== shared || !beginsWith(b, common))
    fail('HistoryConsistency', `servers ${sid} and ${other} both have ${name(a[shared]?.zxid as Zxid)}, and not the same before it`);
}

/**
 * A leader begins to serve. PrimaryUniqueness: no other ever did in its epoch. LeaderCompleteness: its history holds all that was committed of earlier
 * epochs. QuorumSynchronization: a quorum has that history and this epoch, or a later one, in flushed bytes.
 */
export function checkEstablished(ghosts: Ghosts, server: Server, epoch: number): void {
  const other = ghosts.established.find((one) => one.epoch === epoch);
  if (other !== undefined) fail('PrimaryUniqueness', `servers ${other.leader} and ${server.sid} both lead epoch ${epoch}`);
  const initial = ordered(ghosts, server).entries;
  const earlier = ghosts.committed.filter(({ zxid }) => epochOf(zxid) < epoch);
  if (!beginsWith(initial, earlier))
    fail('LeaderCompleteness', `server ${server.sid} leads epoch ${epoch} without all that was committed before it`);
  if (!isQuorum(ghosts, ({ currentEpoch, entries }) => currentEpoch >= epoch && beginsWith(entries, initial)))
    fail('QuorumSynchronization', `server ${server.sid} leads epoch ${epoch} before a quorum has flushed its history and its epoch`);
  ghosts.established = [...ghosts.established, { epoch, leader: server.sid, initial }];
}

/** ServesInitialHistory: a follower serves once its application has all with which its leader began (ZOOKEEPER-3023). */
export function checkServes(ghosts: Ghosts, server: Server, epoch: number): void {
  const leader = ghosts.established.find((one) => one.epoch === epoch);
  if (leader === undefined) fail('ServesInitialHistory', `server ${server.sid} serves in epoch ${epoch}, which nobody leads`);
  if (server.applied < leader.initial.length)
    fail('ServesInitialHistory', `server ${server.sid} serves in epoch ${epoch} with ${server.applied} of ${leader.initial.length} txns`);
}

/** A serving leader has given a payload a zxid. */
export function checkProposal(ghosts: Ghosts, server: Server, entry: Entry): void {
  const { zxid } = entry;
  if (ghosts.established.find(({ epoch }) => epoch === epochOf(zxid))?.leader !== server.sid)
    fail('PrimaryIntegrity', `server ${server.sid} proposes ${name(zxid)} in an epoch that it does not lead`);
  if (ghosts.proposed.some((one) => one.zxid === zxid)) fail('PrimaryIntegrity', `${name(zxid)} is proposed twice`);
  ghosts.proposed = [...ghosts.proposed, entry];
}

/**
 * AckHonesty, PromiseHonesty and AckOrder: nothing is promised or acknowledged that is not flushed, nothing twice, NEWLEADER before any proposal.
 * HistoryConsistency: who acknowledges NEWLEADER has the history that it was sent, and above it nothing but of the new epoch.
 */
export function checkSentToLeader(server: Server, wire: Wire, message: Message): void {
  const { store, sid } = server;
  if (message.type === 'ACKEPOCH') {
    if (store.marked ? store.acceptedEpoch !== wire.invited : store.acceptedEpoch < wire.invited)
      fail('PromiseHonesty', `server ${sid} promises epoch ${wire.invited} and has not flushed that`);
    if (message.currentEpoch === -1 || !store.marked) return;
    if (wire.invited <= server.promised) fail('PromiseHonesty', `server ${sid} promises epoch ${wire.invited} twice`);
    server.promised = wire.invited;
  } else if (message.type === 'ACK' && counterOf(message.zxid) === 0) {
    const epoch = epochOf(message.zxid);
    if (!wire.newLeaderReceived || wire.newLeaderAcked || epoch !== wire.invited)
      fail('AckOrder', `server ${sid} acknowledges NEWLEADER of epoch ${epoch} unasked`);
    if (store.currentEpoch !== epoch || !containsZxid(store.entries, wire.historyEnd))
      fail('AckHonesty', `server ${sid} acknowledges NEWLEADER before its history and epoch are flushed`);
    const other = store.entries.find(({ zxid }) => zxid > wire.historyEnd && epochOf(zxid) !== epoch);
    if (other !== undefined)
      fail('HistoryConsistency', `server ${sid} acknowledges NEWLEADER with ${name(other.zxid)}, which its leader does not have`);
  } else if (message.type === 'ACK') {
    if (!wire.newLeaderAcked) fail('AckOrder', `server ${sid} acknowledges ${name(message.zxid)} before NEWLEADER`);
    if (!containsZxid(store.entries, message.zxid))
      fail('AckHonesty', `server ${sid} acknowledges ${name(message.zxid)} and has not flushed it`);
  }
}

/** PromiseHonesty: a leader invites to an epoch that it has promised itself. HistoryConsistency: DIFF is for those whose history it has. */
export function checkSentToLearner(
  ghosts: Ghosts,
  server: Server,
  { wire, message }: { readonly wire: Wire; readonly message: Message },
): void {
  const { sid, store } = server;
  if (message.type === 'LEADERINFO' && store.acceptedEpoch !== message.epoch)
    fail('PromiseHonesty', `server ${sid} invites to epoch ${message.epoch} and has not flushed that`);
  if (message.type === 'DIFF' && !containsZxid(ordered(ghosts, server).entries, wire.historyEnd))
    fail('HistoryConsistency', `server ${sid} sends DIFF to server ${wire.learner}, whose ${name(wire.historyEnd)} it does not have`);
}

/** Epoch and counter. */
export function name(zxid: Zxid): string {
  return `${epochOf(zxid)}.${counterOf(zxid)}`;
}
