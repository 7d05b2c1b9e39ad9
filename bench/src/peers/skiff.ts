/** skiff-algorithm: Raft in callbacks. It wants a transport and a persistence; here both are in memory and answer in the next tick. */
import { EventEmitter, once } from 'node:events';
import { answer, type PeerEnsemble, requirePeer } from './answer.js';

type Callback = (error?: Error | null, result?: unknown) => void;
type Receiver = (type: string, args: unknown, done: Callback) => void;

interface SkiffNode extends EventEmitter {
  readonly id: string;
  listen(address: string): void;
  join(id: string, done: Callback): void;
  command(command: unknown, done: Callback): void;
  stop(done: Callback): void;
}

const SkiffNode = requirePeer('skiff-algorithm') as (options: object) => SkiffNode;

/** Two ends that pass calls by reference. */
class Connection extends EventEmitter {
  far: Connection | undefined;
  #receiver: Receiver | undefined;

  send(type: string, args: unknown, done: Callback): void {
    process.nextTick(() => {
      if (this.far === undefined) done(new Error('not connected'));
      else this.far.#receiver?.(type, args, done);
    });
  }

  receive(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  close(done: Callback): void {
    this.far = undefined;
    done();
  }
}

class Hub {
  readonly #listeners = new Map<string, (peer: string, metadata: unknown, connection: Connection) => void>();

  connect(local: string, metadata: unknown, remote: string): Connection {
    const near = new Connection();
    const far = new Connection();
    near.far = far;
    far.far = near;
    process.nextTick(() => this.#listeners.get(remote)?.(local, metadata, far));
    return near;
  }

  listen(local: string, _address: string, listener: (peer: string, metadata: unknown, connection: Connection) => void): object {
    this.#listeners.set(local, listener);
    return { close: (done?: Callback) => done?.() };
  }
}

class Ensemble implements PeerEnsemble {
  readonly #payload: string;
  readonly #applied = new Map<string, number>();
  readonly #nodes: readonly SkiffNode[];

  constructor(payload: string) {
    this.#payload = payload;
    const transport = new Hub();
    const persistence = {
      saveMeta: (_id: string, _state: unknown, done: Callback) => process.nextTick(done),
      loadMeta: (_id: string, done: Callback) => process.nextTick(done),
      lastAppliedCommitIndex: (_id: string, done: Callback) => process.nextTick(done),
      saveCommitIndex: (_id: string, _index: number, done: Callback) => process.nextTick(done),
      applyCommand: (id: string, _index: number, _command: unknown, done: Callback) => {
        this.#applied.set(id, (this.#applied.get(id) ?? 0) + 1);
        process.nextTick(done);
      },
    };
    this.#nodes = ['1', '2', '3'].map((id) => {
      const standby = id !== '1';
      // Its timers are the machine's: the first is to lead soon, and the others are not to take over while it is busy.
      const timeouts = { minElectionTimeout: standby ? 60_000 : 10, maxElectionTimeout: standby ? 60_000 : 20, commandTimeout: 10_000 };
      // Followers that are behind what is retained would be sent snapshots.
      const node = SkiffNode({ id, transport, persistence, standby, retainedLogEntries: 10_000, ...timeouts });
      node.listen(id);
      return node;
    });
  }

  async begin(): Promise<this> {
    const [leader, ...followers] = this.#nodes as [SkiffNode, SkiffNode, SkiffNode];
    await once(leader, 'leader');
    for (const { id } of followers)
      await new Promise<void>((resolve, reject) => leader.join(id, (error) => (error ? reject(error) : resolve())));
    return this;
  }

  commit(count: number): Promise<void> {
    const [leader] = this.#nodes as [SkiffNode];
    return new Promise((resolve, reject) => {
      let left = count;
      const done: Callback = (error) => {
        if (error) reject(error);
        else if (--left === 0) resolve();
      };
      for (let i = 0; i < count; i++) leader.command(this.#payload, done);
    });
  }

  /** Followers apply what the next heartbeat says is committed. */
  async applied(): Promise<readonly number[]> {
    const counts = (): number[] => this.#nodes.map(({ id }) => this.#applied.get(id) ?? 0);
    const end = performance.now() + 2_000;
    while (performance.now() < end && new Set(counts()).size > 1) await new Promise((resolve) => setTimeout(resolve, 10));
    return counts();
  }

  stop(): void {
    for (const node of this.#nodes) node.stop(() => {});
  }
}

await answer('skiff-algorithm 0.8.2', (payload) => new Ensemble(payload).begin());
