/** The format of a snapshot written down a second time, so that a test can write one that no tree would. */
import { type Acl, JuteWriter, OPEN_ACL_UNSAFE, writeAclList, type Zxid } from '@quorate/protocol';

export interface SnapshotZnode {
  readonly depth: number;
  readonly name: string;
  readonly list?: number;
  readonly version?: number;
  readonly cversion?: number;
  readonly aversion?: number;
}

export interface Snapshot {
  readonly formatVersion?: number;
  readonly lastZxid?: number;
  readonly lists?: readonly (readonly Acl[])[];
  readonly znodes?: readonly SnapshotZnode[];
  readonly ephemerals?: readonly { readonly session: bigint; readonly positions: readonly number[] }[];
}

export const BUILT_IN: readonly SnapshotZnode[] = [
  { depth: 0, name: '' },
  { depth: 1, name: 'zookeeper' },
  { depth: 2, name: 'quota' },
  { depth: 2, name: 'config' },
];

export function writeSnapshot(snapshot: Snapshot): Uint8Array {
  const { formatVersion = 1, lastZxid = 7, lists = [OPEN_ACL_UNSAFE], znodes = BUILT_IN, ephemerals = [] } = snapshot;
  const writer = new JuteWriter();
  writer.int(formatVersion);
  writer.zxid(lastZxid as Zxid);
  writer.vector(lists, writeAclList);
  writer.vector(znodes, (to, { depth, name, list = 0, version = 0, cversion = 0, aversion = 0 }) => {
    to.int(depth);
    to.string(name);
    to.buffer(null);
    to.int(list);
    for (let field = 0; field < 5; field++) to.longNumber(0);
    to.int(version);
    to.int(cversion);
    to.int(aversion);
  });
  writer.vector(ephemerals, (to, { session, positions }) => {
    to.long(session);
    to.vector(positions, (list, position) => list.int(position));
  });
  return writer.finish();
}
