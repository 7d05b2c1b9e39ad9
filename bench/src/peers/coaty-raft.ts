/** @coaty/consensus.raft, a port of etcd's raft to TypeScript: its RawNode over its own storage in memory. */
import { Module } from 'node:module';
import { answer, type PeerEnsemble, requirePeer } from './answer.js';

// What is used of the package, whose declarations are of its other parts.

interface Entry {
  readonly index: number;
  readonly data: unknown;
}

interface Message {
  readonly to: string;
}

interface Ready {
  readonly hardState: { isEmptyHardState(): boolean };
  readonly entries: readonly Entry[];
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
}

interface RawNode {
  campaign(): Error | null;
  propose(data: string): Error | null;
  step(message: Message): Error | null;
  hasReady(): boolean;
  ready(): Ready;
  advance(ready: Ready): void;
}

interface Storage {
  ApplySnapshot(snapshot: object): Error | null;
  Append(entries: readonly Entry[]): Error | null;
  SetHardState(state: object): Error | null;
  Compact(index: number): Error | null;
}

interface Library {
  readonly RawNode: { NewRawNode(config: object): RawNode };
  readonly RaftConfig: new (config: object) => object;
  readonly MemoryStorage: { NewMemoryStorage(): Storage };
  readonly Snapshot: new (snapshot: object) => object;
  readonly discardLogger: object;
}

// The package loads a database on disk, whose addon needs a compiler, and nothing here uses it: an empty module stands in its place.
const database = requirePeer.resolve('sqlite3');
requirePeer.cache[database] = Object.assign(new Module(database), { exports: {}, loaded: true });

const path = '@coaty/consensus.raft/ported/';
const library: Library = Object.assign(
  {},
  ...['rawnode', 'raft', 'storage', 'raftpb/raft.pb', 'logger'].map((file) => requirePeer(path + file) as object),
);
const voters = ['1', '2', '3'];

/** As often as a server of Quorate saves a snapshot. */
const COMPACT_EVERY = 100_000;

class Node {
  readonly storage = library.MemoryStorage.NewMemoryStorage();
  readonly raw: RawNode;
  inbox: Message[] = [];
  applied = 0;
  /** Of the last entry that was applied. */
  index = 1;

  constructor(id: string) {
    check(this.storage.ApplySnapshot(new library.Snapshot({ metadata: { index: 1, term: 1, confState: { voters } } })));
    this.raw = library.RawNode.NewRawNode(
      new library.RaftConfig({
        id,
        electionTick: 10,
        heartbeatTick: 1,
        storage: this.storage,
        applied: 1,
        maxSizePerMsg: 1024 * 1024,
        maxInflightMsgs: 512,
        logger: library.discardLogger,
      }),
    );
  }
}

class Ensemble implements PeerEnsemble {
  readonly #nodes = voters.map((id) => new Node(id));
  readonly #leader = (this.#nodes[0] as Node).raw;
  readonly #payload: string;
  #compacted = 1;

  constructor(payload: string) {
    this.#payload = payload;
    check(this.#leader.campaign());
    this.#run();
  }

  commit(count: number): void {
    for (let i = 0; i < count; i++) check(this.#leader.propose(this.#payload));
    this.#run();
  }

  applied(): readonly number[] {
    return this.#nodes.map(({ applied }) => applied);
  }

  stop(): void {}

  /** Goes on until nobody has anything to do. */
  #run(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const node of this.#nodes) {
        const { inbox } = node;
        node.inbox = [];
        for (const message of inbox) check(node.raw.step(message));
        while (node.raw.hasReady()) {
          busy = true;
          this.#perform(node, node.raw.ready());
        }
      }
    }
    const { index } = this.#nodes[0] as Node;
    if (index - this.#compacted < COMPACT_EVERY) return;
    this.#compacted = index;
    for (const { storage, index } of this.#nodes) check(storage.Compact(index));
  }

  #perform(node: Node, ready: Ready): void {
    if (!ready.hardState.isEmptyHardState()) check(node.storage.SetHardState(ready.hardState));
    check(node.storage.Append(ready.entries));
    for (const message of ready.messages) this.#nodes[voters.indexOf(message.to)]?.inbox.push(message);
    for (const { index, data } of ready.committedEntries) {
      if (data === this.#payload) node.applied++;
      node.index = index;
    }
    node.raw.advance(ready);
  }
}

function check(error: Error | null): void {
  if (error !== null) throw error;
}

await answer('@coaty/consensus.raft 1.0.0', (payload) => new Ensemble(payload));
