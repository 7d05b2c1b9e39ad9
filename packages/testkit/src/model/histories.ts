/**
 * The histories with which the servers of a model begin: what an epoch or two may have left behind, for every way to give it to the servers. Elections,
 * crashes and lost messages of the past need no budget then.
 */
import { makeZxid, type Zxid } from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import type { Scope } from './scope.js';
import { damaged as damage, EMPTY_STORE, type Entry, type Store } from './store.js';
import { NO_TIMERS, type Server, type World } from './world.js';

interface Past {
  readonly name: string;
  /** One for each server; a shorter list is filled up with the last. */
  readonly stores: readonly PastStore[];
  /** What has been delivered. */
  readonly committed: readonly Zxid[];
  /** The fewest servers that could have come to this. */
  readonly servers: number;
}

interface PastStore {
  readonly epochs: readonly [accepted: number, current: number];
  readonly zxids: readonly Zxid[];
}

const z = makeZxid;

const PASTS: readonly Past[] = [
  { name: 'nothing', servers: 1, committed: [], stores: [{ epochs: [0, 0], zxids: [] }] },
  // The leader of epoch 1 proposed 1.1, and it is on one disk only, or on all but one: then it may be committed, and here it is.
  {
    name: '1.1 on one',
    servers: 2,
    committed: [],
    stores: [
      { epochs: [1, 1], zxids: [z(1, 1)] },
      { epochs: [1, 1], zxids: [] },
    ],
  },
  {
    name: '1.1 on all but one',
    servers: 3,
    committed: [z(1, 1)],
    stores: [
      { epochs: [1, 1], zxids: [] },
      { epochs: [1, 1], zxids: [z(1, 1)] },
    ],
  },
  // 1.1 is committed, and one has 1.2 besides, which may be cut off.
  {
    name: '1.2 on one',
    servers: 2,
    committed: [z(1, 1)],
    stores: [
      { epochs: [1, 1], zxids: [z(1, 1), z(1, 2)] },
      { epochs: [1, 1], zxids: [z(1, 1)] },
    ],
  },
  // The leader of epoch 1 kept 1.1 for itself; the others went on to epoch 2, whose leader kept 2.1 for itself.
  {
    name: '1.1 on one, 2.1 on another',
    servers: 3,
    committed: [],
    stores: [
      { epochs: [1, 1], zxids: [z(1, 1)] },
      { epochs: [2, 2], zxids: [z(2, 1)] },
      { epochs: [2, 2], zxids: [] },
    ],
  },
  // The same, and 2.1 is committed.
  {
    name: '1.1 on one, 2.1 on the others',
    servers: 3,
    committed: [z(2, 1)],
    stores: [
      { epochs: [1, 1], zxids: [z(1, 1)] },
      { epochs: [2, 2], zxids: [z(2, 1)] },
    ],
  },
  // 1.1 is committed, and the leader of epoch 2 kept 2.1 for itself: where it comes back it needs a snapshot, and what it loses by that was committed.
  {
    name: '1.1 on all, 2.1 on one',
    servers: 3,
    committed: [z(1, 1)],
    stores: [
      { epochs: [2, 2], zxids: [z(1, 1), z(2, 1)] },
      { epochs: [2, 2], zxids: [z(1, 1)] },
      { epochs: [1, 1], zxids: [z(1, 1)] },
    ],
  },
  // A learner of epoch 2 lost its power between its history and its currentEpoch.
  {
    name: 'history before epoch',
    servers: 3,
    committed: [],
    stores: [
      { epochs: [2, 2], zxids: [z(1, 1)] },
      { epochs: [2, 1], zxids: [z(1, 1)] },
      { epochs: [1, 1], zxids: [] },
    ],
  },
];

/**
 * Every past, its stores given to the servers in order, or in every order that makes a difference. Orders are the same but for names, and for the ties that an
 * election decides by the greater number.
 */
export function pastWorlds({ servers, txns, orders, damaged = 0 }: Scope): { readonly name: string; readonly world: World }[] {
  const worlds: { name: string; world: World }[] = [];
  const seen = new Set<string>();
  for (const past of PASTS) {
    if (past.servers > servers) continue;
    const stores = Array.from({ length: servers }, (_, i) => past.stores[Math.min(i, past.stores.length - 1)] as PastStore);
    for (const order of orders === 'all' ? permutations(stores) : [stores]) {
      const key = JSON.stringify([past.committed, order]);
      if (seen.has(key)) continue;
      seen.add(key);
      const name = order.map(({ epochs, zxids }, i) => `S${i + 1} ${epochs.join('/')} [${zxids.map(shown).join(' ')}]`).join(', ');
      const world = worldOf(past, order);
      if (world.used.txns > txns) continue;
      for (const copies of choices(world, damaged))
        worlds.push({ name: `${past.name}: ${name}${lostText(copies)}`, world: without(world, copies) });
    }
  }
  return worlds;
}

/** An entry on the disk of a server. */
interface Copy {
  readonly sid: Sid;
  readonly zxid: Zxid;
}

/** Every choice of so many copies at most. */
function choices({ servers }: World, most: number): Copy[][] {
  let chosen: Copy[][] = [[]];
  for (const { sid, store } of servers)
    for (const { zxid } of store.entries)
      chosen = chosen.flatMap((copies) => (copies.length < most ? [copies, [...copies, { sid, zxid }]] : [copies]));
  return chosen;
}

/** The same world where these copies cannot be read. */
function without(world: World, copies: readonly Copy[]): World {
  const servers = world.servers.map((server) => {
    const unreadable = copies.filter(({ sid }) => sid === server.sid).map(({ zxid }) => zxid);
    return unreadable.length === 0 ? server : { ...server, store: damage(server.store, unreadable), lost: [server.store] };
  });
  return { ...world, servers };
}

function lostText(copies: readonly Copy[]): string {
  return copies.length === 0 ? '' : `, lost ${copies.map(({ sid, zxid }) => `${shown(zxid)} of S${sid}`).join(', ')}`;
}

function worldOf(past: Past, stores: readonly PastStore[]): World {
  const proposed: Entry[] = [];
  for (const { zxids } of stores)
    for (const zxid of zxids) if (!proposed.some((one) => one.zxid === zxid)) proposed.push({ zxid, content: proposed.length });
  const entry = (zxid: Zxid): Entry => proposed.find((one) => one.zxid === zxid) as Entry;
  const servers = stores.map(({ epochs: [acceptedEpoch, currentEpoch], zxids }, i) =>
    downServer(i + 1, { ...EMPTY_STORE, acceptedEpoch, currentEpoch, entries: zxids.map(entry) }),
  );
  return {
    servers,
    wires: [],
    mail: Array.from({ length: servers.length ** 2 }, () => undefined),
    committed: past.committed.map(entry),
    established: [],
    proposed,
    used: { txns: proposed.length, crashes: 0, timeouts: 0, cuts: 0, elections: 0, wipes: 0, beats: 0, handOvers: 0 },
  };
}

function downServer(sid: number, store: Store): Server {
  const promised = store.acceptedEpoch;
  const print = { low: 0, high: 0 };
  return { sid, peer: undefined, store, lane: [], timers: NO_TIMERS, answers: [], applied: 0, promised, lost: [], print };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [items.slice()];
  return items.flatMap((item, i) => permutations(items.filter((_, at) => at !== i)).map((rest) => [item, ...rest]));
}

function shown(zxid: Zxid): string {
  return `${Math.floor(zxid / 2 ** 32)}.${zxid >>> 0}`;
}
