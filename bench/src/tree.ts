/** The data tree: znodes of 100 B in directories of 1,000, in random order. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { randomBelow, SeededRandom } from '@quorate/ports';
import { makeZxid, OPEN_ACL_UNSAFE, OpCode, type Txn } from '@quorate/protocol';
import { DataTree, type DataTreeOptions } from '@quorate/tree';
import { type Baseline, measure, type Report } from './report.js';

export interface TreeBench {
  readonly timeMs: number;
  /** Znodes, in thousands. */
  readonly directories: number;
}

const PER_DIRECTORY = 1_000;
const DATA = new Uint8Array(100);

export async function benchTree({ timeMs, directories }: TreeBench, report: Report): Promise<void> {
  const count = directories * PER_DIRECTORY;
  const paths = Array.from({ length: count }, (_, i) => flat(`/directory-${Math.floor(i / PER_DIRECTORY)}/node-${i}`));
  const random = new SeededRandom(1);
  const order = new Uint32Array(count).map(() => randomBelow(random, count));

  const baseline: Baseline = {
    name: 'a Map of path to a small object, filled',
    perSecond: await measure(timeMs, count, () => fillMap(paths)),
  };
  report.heading(`Data tree, ${count.toLocaleString('en')} znodes of 100 B`, baseline);

  const before = memory();
  let bench = new FilledTree(paths);
  const after = memory();
  report.amount('heap, external and array buffers, per znode', (after.held - before.held) / count, 'B');
  report.amount('resident set, per znode', (after.resident - before.resident) / count, 'B');

  const rate = async (name: string, size: number, batch: () => void): Promise<void> =>
    report.rate(name, await measure(timeMs, size, batch), baseline);
  await rate('create', count + directories, () => {
    bench = new FilledTree(paths);
  });
  let plain = new FilledTree([], { digest: false });
  await rate('the same without the digest', count + directories, () => {
    plain = new FilledTree(paths, { digest: false });
  });
  await rate('setData without the digest', count, () => plain.setAll(order));
  plain = new FilledTree([]);
  await rate('setData', count, () => bench.setAll(order));
  report.amount('the same per znode, after all these changes', (memory().held - before.held) / count, 'B');
  await rate('find, data and Stat', count, () => bench.getAll(order));
  await rate('getChildren of 1,000', directories, () => bench.listAll(order));

  let bytes = new Uint8Array(0);
  await rate('written in pieces, in znodes', count, () => bench.readPieces());
  await rate('written as a whole, in znodes', count, () => {
    bytes = bench.tree.serialize() as Uint8Array<ArrayBuffer>;
  });
  report.amount('snapshot, per znode', bytes.length / count, 'B');
  await rate('read back, in znodes', count, () => void DataTree.deserialize(bytes));
}

/** A tree and the txns for it. */
class FilledTree {
  readonly tree: DataTree;
  private readonly paths: readonly string[];
  private readonly versions: Int32Array;
  private counter = 0;

  constructor(paths: readonly string[], options?: DataTreeOptions) {
    this.tree = new DataTree(options);
    this.paths = paths;
    this.versions = new Int32Array(paths.length);
    for (let d = 0; d < paths.length / PER_DIRECTORY; d++) this.create(`/directory-${d}`, d + 1);
    for (let i = 0; i < paths.length; i++) this.create(paths[i] as string, (i % PER_DIRECTORY) + 1);
  }

  setAll(order: Uint32Array): void {
    for (const i of order) {
      const version = (this.versions[i] as number) + 1;
      this.versions[i] = version;
      this.apply({ type: OpCode.setData, path: this.paths[i] as string, data: DATA, version });
    }
  }

  getAll(order: Uint32Array): void {
    const { tree } = this;
    for (const i of order) {
      const node = this.node(this.paths[i] as string);
      if (tree.data(node)?.length !== tree.stat(node).dataLength) throw new Error('data and Stat differ');
    }
  }

  listAll(order: Uint32Array): void {
    const directories = this.paths.length / PER_DIRECTORY;
    for (let i = 0; i < directories; i++) {
      const names = this.tree.children(this.node(`/directory-${(order[i] as number) % directories}`));
      if (names.length !== PER_DIRECTORY) throw new Error('a child is missing');
    }
  }

  readPieces(): void {
    let length = 0;
    for (const piece of this.tree.snapshot()) length += piece.length;
    if (length === 0) throw new Error('nothing was written');
  }

  private create(path: string, parentCVersion: number): void {
    this.apply({ type: OpCode.create, path, data: DATA, acl: OPEN_ACL_UNSAFE, ephemeral: false, parentCVersion });
  }

  private apply(txn: Txn): void {
    const zxid = makeZxid(1, ++this.counter);
    this.tree.apply({ clientId: 1n, cxid: 0, zxid, time: this.counter, type: txn.type }, txn, ignore);
  }

  private node(path: string) {
    const node = this.tree.find(path);
    if (node === undefined) throw new Error('a znode is missing');
    return node;
  }
}

/** A string that has been put together keeps its parts until it is first read, and what is freed then would count for the tree. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}

function ignore(): void {}

function fillMap(paths: readonly string[]): void {
  const map = new Map<string, { data: Uint8Array; version: number }>();
  for (const path of paths) map.set(path, { data: DATA.slice(), version: 0 });
}

/** What the process holds after a collection, in bytes. */
function memory(): { readonly held: number; readonly resident: number } {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  // External memory holds the array buffers.
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: heapUsed + external, resident: rss };
}
