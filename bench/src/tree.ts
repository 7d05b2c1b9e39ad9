/** The data tree: 100,000 znodes of 100 B in directories of 1,000, in random order. */
import { randomBelow, SeededRandom } from '@quorate/ports';
import { makeZxid, OPEN_ACL_UNSAFE, OpCode, type Txn } from '@quorate/protocol';
import { DataTree } from '@quorate/tree';
import { type Baseline, measure, type Report } from './report.js';

const COUNT = 100_000;
const PER_DIRECTORY = 1_000;

export async function benchTree(timeMs: number, report: Report): Promise<void> {
  const random = new SeededRandom(1);
  const paths = Array.from({ length: COUNT }, (_, i) => `/directory-${Math.floor(i / PER_DIRECTORY)}/node-${i}`);
  const order = new Uint32Array(COUNT).map(() => randomBelow(random, COUNT));
  const data = new Uint8Array(100);

  const map = new Map<string, { data: Uint8Array; version: number }>();
  const fill = await measure(timeMs, COUNT, () => {
    map.clear();
    for (const path of paths) map.set(path, { data: data.slice(), version: 0 });
  });
  const baseline: Baseline = { name: 'a Map of path to a small object, filled', perSecond: fill };
  report.heading(`Data tree, ${COUNT.toLocaleString('en')} znodes of 100 B`, baseline);

  let tree = new DataTree();
  let counter = 0;
  const apply = (txn: Txn): void => {
    const zxid = makeZxid(1, ++counter);
    tree.apply({ clientId: 1n, cxid: 0, zxid, time: counter, type: txn.type }, txn, () => {});
  };
  const create = (path: string, parentCVersion: number): void =>
    apply({ type: OpCode.create, path, data: data.slice(), acl: OPEN_ACL_UNSAFE, ephemeral: false, parentCVersion });
  const populate = (): void => {
    tree = new DataTree();
    counter = 0;
    for (let d = 0; d < COUNT / PER_DIRECTORY; d++) create(`/directory-${d}`, d + 1);
    for (let i = 0; i < COUNT; i++) create(paths[i] as string, (i % PER_DIRECTORY) + 1);
  };
  report.rate('create', await measure(timeMs, COUNT + COUNT / PER_DIRECTORY, populate), baseline);

  const versions = new Int32Array(COUNT);
  const setAll = (): void => {
    for (const i of order) {
      const version = (versions[i] as number) + 1;
      versions[i] = version;
      apply({ type: OpCode.setData, path: paths[i] as string, data: data.slice(), version });
    }
  };
  report.rate('setData', await measure(timeMs, COUNT, setAll), baseline);

  let bytes = 0;
  const getAll = (): void => {
    for (const i of order) {
      const node = tree.find(paths[i] as string);
      if (node === undefined) throw new Error('a znode is missing');
      bytes += tree.data(node)?.length ?? 0;
      bytes += tree.stat(node).dataLength;
    }
  };
  report.rate('find, data and Stat', await measure(timeMs, COUNT, getAll), baseline);
  if (bytes === 0) throw new Error('nothing was read');
}
