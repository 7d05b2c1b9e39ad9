/**
 * Four committed entries on three servers, and of the twelve copies any part unreadable: 4,096 combinations, as in a study of what replicated systems make of
 * corruption (Alagappan et al., Protocol-Aware Recovery for Consensus-Based Storage, FAST 2018). In 2,401 of them each entry is left somewhere; ZooKeeper recovered in 46 of these.
 *
 * In turn the servers speak by reference, in frames, and in ZooKeeper's bytes. Whoever serves has all four entries, or the store was wrong. Where each entry is left somewhere, the servers put their stores together again from one another, and all serve. In all other
 * combinations nobody does, and each server with damage says that it has no vote.
 */
import { LogStorage } from '@quorate/log';
import { MemoryDisk, SeededRandom, VirtualClock } from '@quorate/ports';
import {
  type Application,
  framed,
  MemoryByteNetwork,
  MemoryNetwork,
  MemoryPeerStreams,
  Replica,
  type Run,
  type Sid,
  type Status,
  type Transport,
  zookeeperWire,
} from '@quorate/zab';
import { count, type Tally } from './tally.ts';

export const COMBINATIONS = 'combinations of damage';

const SIDS: readonly Sid[] = [1, 2, 3];
const ENTRIES = 4;
const COMBINATIONS_OF_A_SEED = 128;
const SEGMENT_BYTES = 4096;
const PAYLOAD_BYTES = 64;
const RECORD_HEADER_BYTES = 40;
const TICK_MS = 100;
/** Until an ensemble serves that can. */
const WAIT_MS = 30 * TICK_MS;

type Files = ReadonlyMap<string, Uint8Array>;

let founded: Files[] | undefined;

export function damageCopies(seed: number, tally: Tally): void {
  founded ??= foundEnsemble();
  const first = (seed - 1) * COMBINATIONS_OF_A_SEED;
  for (let combination = first; combination < Math.min(first + COMBINATIONS_OF_A_SEED, 1 << (ENTRIES * SIDS.length)); combination++)
    tryCombination(combination, founded, tally);
}

/** @param combination a bit for each copy, those of one server beside one another. */
function tryCombination(combination: number, stores: readonly Files[], tally: Tally): void {
  const isDamaged = (sid: Sid, entry: number): boolean => ((combination >> ((sid - 1) * ENTRIES + entry)) & 1) === 1;
  const entries = Array.from({ length: ENTRIES }, (_, entry) => entry);
  const whole = SIDS.filter((sid) => !entries.some((entry) => isDamaged(sid, entry)));
  const isLeft = entries.every((entry) => SIDS.some((sid) => !isDamaged(sid, entry)));
  count(tally, COMBINATIONS);
  if (isLeft) count(tally, 'with each entry left somewhere');
  if (isLeft && whole.length >= 2) count(tally, 'of these in reach of a leader without mending, and of ZooKeeper');

  const ensemble = new Ensemble(
    stores.map((files, i) =>
      damaged(
        files,
        entries.filter((entry) => isDamaged(i + 1, entry)),
      ),
    ),
    NETWORKS[combination % NETWORKS.length],
  );
  ensemble.clock.advance(WAIT_MS);
  const serving = ensemble.servers.filter(({ status }) => status?.serving === true);
  const silent = SIDS.filter((sid) => !whole.includes(sid) && ensemble.servers[sid - 1]?.status?.votes === true);
  const what = `copies ${combination.toString(2).padStart(ENTRIES * SIDS.length, '0')}`;
  if (serving.some(({ entries: has }) => has.length < ENTRIES)) tally.failures.push(`${what}: a server serves without all entries`);
  else if (serving.length === SIDS.length) count(tally, 'recovered');
  else if (serving.length === 0) count(tally, 'down, with the damage told');
  if (serving.length !== (isLeft ? SIDS.length : 0))
    tally.failures.push(`${what}: ${serving.length} servers serve, and each entry is left somewhere: ${isLeft}`);
  if (serving.length === 0 && silent.length > 0)
    tally.failures.push(`${what}: servers ${silent.join(', ')} do not say what they have lost`);
  ensemble.stop();
}

/** The files of three servers that have committed the entries, one after the other. */
function foundEnsemble(): Files[] {
  const clock = new VirtualClock();
  const disks = SIDS.map(() => {
    const disk = new MemoryDisk({ clock });
    const storage = new LogStorage({ disk, clock, segmentBytes: SEGMENT_BYTES });
    storage.format({ ensembleId: 'matrix' }, () => {});
    clock.advance(1);
    storage.close();
    return disk.files();
  });
  const ensemble = new Ensemble(disks);
  ensemble.clock.advance(WAIT_MS);
  for (let entry = 0; entry < ENTRIES; entry++) {
    ensemble.propose(payloadOf(entry));
    ensemble.clock.advance(TICK_MS);
  }
  ensemble.stop();
  return ensemble.servers.map(({ disk }) => disk.files());
}

function payloadOf(entry: number): Uint8Array {
  return new Uint8Array(PAYLOAD_BYTES).fill(0xa0 + entry);
}

/** The same with the records of these entries gone: header and all. */
function damaged(files: Files, entries: readonly number[]): Files {
  if (entries.length === 0) return files;
  const changed = new Map(files);
  for (const [name, bytes] of files) {
    if (!name.startsWith('segment')) continue;
    const copy = bytes.slice();
    for (const entry of entries) {
      const at = Buffer.from(copy.buffer).indexOf(payloadOf(entry));
      copy.fill(0, at - RECORD_HEADER_BYTES - 4, at + PAYLOAD_BYTES);
    }
    changed.set(name, copy);
  }
  return changed;
}

/** Gives each server its transport. */
type Transports = (clock: VirtualClock) => (sid: Sid) => Transport;

const byReference: Transports = (clock) => {
  const network = new MemoryNetwork({ clock });
  return (sid) => network.transport(sid);
};

const inFrames: Transports = (clock) => {
  const network = new MemoryByteNetwork({ clock });
  const random = new SeededRandom(1);
  return (sid) => framed(network.transport(sid), { sid, ensembleId: 'matrix', clock, random });
};

const inZookeepersBytes: Transports = (clock) => {
  const network = new MemoryByteNetwork({ clock });
  const random = new SeededRandom(1);
  return (sid) => zookeeperWire(new MemoryPeerStreams(network, sid), { sid, peers: SIDS, electionAddress: `${sid}:3888`, clock, random });
};

const NETWORKS: readonly Transports[] = [byReference, inFrames, inZookeepersBytes];

interface Server {
  readonly disk: MemoryDisk;
  readonly replica: Replica;
  /** The first byte of each that it has. */
  readonly entries: number[];
  status: Status | undefined;
}

class Ensemble {
  readonly clock = new VirtualClock();
  readonly servers: readonly Server[];

  constructor(stores: readonly Files[], transportsOf = byReference) {
    const { clock } = this;
    const transportOf = transportsOf(clock);
    this.servers = stores.map((files, i) => {
      const disk = MemoryDisk.of(files, { clock });
      const entries: number[] = [];
      const application: Application = {
        deliver: ({ payloads }: Run) => entries.push(...payloads.map((payload) => payload[0] as number)),
        snapshot: () => [Uint8Array.from(entries)],
        restore: (pieces) => void entries.splice(0, entries.length, ...pieces.flatMap((piece) => [...piece])),
        onStatus: (status) => {
          server.status = status;
        },
      };
      const replica = new Replica({
        sid: i + 1,
        config: { version: 0, voters: SIDS },
        transport: transportOf(i + 1),
        storage: new LogStorage({ disk, clock, segmentBytes: SEGMENT_BYTES }),
        clock,
        application,
        tickTimeMs: TICK_MS,
      });
      const server: Server = { disk, replica, entries, status: undefined };
      return server;
    });
    for (const { replica } of this.servers) replica.start();
  }

  propose(payload: Uint8Array): void {
    this.servers.find(({ replica }) => replica.isServingLeader)?.replica.propose(payload);
  }

  stop(): void {
    for (const { replica } of this.servers) replica.stop();
  }
}
