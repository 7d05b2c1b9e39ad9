/** The table at the end of a run, and what in it must not be empty. */
import { KNOWN } from './known-differences.ts';
import type { Tally } from './tally.ts';

/** Cells that a long run has to fill: every operation done and refused for each of its reasons, every kind of watch with each of its events. */
const OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  create: ['OK', 'NO_NODE', 'NODE_EXISTS', 'NO_AUTH', 'BAD_ARGUMENTS', 'INVALID_ACL', 'NO_CHILDREN_FOR_EPHEMERALS'],
  create2: ['OK', 'NO_NODE', 'NODE_EXISTS', 'NO_AUTH', 'BAD_ARGUMENTS', 'INVALID_ACL', 'NO_CHILDREN_FOR_EPHEMERALS', 'QUOTA_EXCEEDED'],
  createContainer: ['OK', 'NO_NODE', 'NODE_EXISTS', 'INVALID_ACL'],
  createTTL: ['OK', 'NO_NODE', 'NODE_EXISTS', 'BAD_ARGUMENTS', 'INVALID_ACL'],
  delete: ['OK', 'NO_NODE', 'BAD_VERSION', 'NOT_EMPTY', 'NO_AUTH', 'BAD_ARGUMENTS'],
  setData: ['OK', 'NO_NODE', 'BAD_VERSION', 'NO_AUTH', 'BAD_ARGUMENTS', 'QUOTA_EXCEEDED'],
  setACL: ['OK', 'NO_NODE', 'BAD_VERSION', 'NO_AUTH', 'INVALID_ACL'],
  exists: ['OK', 'NO_NODE'],
  getData: ['OK', 'NO_NODE', 'NO_AUTH'],
  getACL: ['OK', 'NO_NODE', 'NO_AUTH'],
  getChildren: ['OK', 'NO_NODE', 'NO_AUTH'],
  getChildren2: ['OK', 'NO_NODE', 'NO_AUTH'],
  multi: ['OK', 'NO_NODE', 'NODE_EXISTS', 'BAD_VERSION', 'BAD_ARGUMENTS', 'NOT_EMPTY', 'NO_AUTH', 'QUOTA_EXCEEDED'],
  multiRead: ['OK'],
  getEphemerals: ['OK'],
  getAllChildrenNumber: ['OK', 'NO_NODE'],
  whoAmI: ['OK'],
  sync: ['OK'],
  ping: ['OK'],
  auth: ['OK', 'AUTH_FAILED, end'],
  setWatches: ['OK'],
  setWatches2: ['OK'],
  addWatch: ['OK', 'MARSHALLING_ERROR'],
  checkWatches: ['OK', 'NO_WATCHER', 'MARSHALLING_ERROR'],
  removeWatches: ['OK', 'NO_WATCHER', 'MARSHALLING_ERROR'],
  reconfig: ['RECONFIG_DISABLED'],
  closeSession: ['OK, end'],
  'connect (new)': ['OK', 'none, end'],
  'connect (own)': ['OK', 'none, end'],
  'connect (other)': ['OK'],
  'connect (stranger)': ['refused, end'],
  'connect (closed)': ['refused, end'],
  'connect (unknown)': ['refused, end'],
  expire: ['OK'],
  'unknown opcode': ['UNIMPLEMENTED, end'],
  'several under way': ['OK', 'NO_NODE', 'NODE_EXISTS', 'BAD_VERSION', 'NOT_EMPTY', 'NO_AUTH', 'BAD_ARGUMENTS', 'INVALID_ACL'],
};
const EVENTS: Readonly<Record<string, readonly string[]>> = {
  exists: ['nodeCreated', 'nodeDataChanged', 'nodeDeleted'],
  getData: ['nodeDataChanged', 'nodeDeleted'],
  getChildren: ['nodeChildrenChanged', 'nodeDeleted'],
  getChildren2: ['nodeChildrenChanged', 'nodeDeleted'],
  'addWatch, persistent': ['nodeCreated', 'nodeDataChanged', 'nodeDeleted', 'nodeChildrenChanged'],
  'addWatch, recursive': ['nodeCreated', 'nodeDataChanged', 'nodeDeleted'],
  ...setAgain('setWatches'),
  ...setAgain('setWatches2'),
  'setWatches2, persistent': ['nodeCreated', 'nodeDataChanged', 'nodeDeleted', 'nodeChildrenChanged'],
  'setWatches2, recursive': ['nodeCreated', 'nodeDataChanged', 'nodeDeleted'],
};

function setAgain(call: string): Readonly<Record<string, readonly string[]>> {
  return {
    [`${call}, data`]: ['nodeDataChanged', 'nodeDeleted'],
    [`${call}, exist`]: ['nodeCreated'],
    [`${call}, child`]: ['nodeChildrenChanged', 'nodeDeleted'],
    [`${call}, data, at once`]: ['nodeDataChanged', 'nodeDeleted'],
    [`${call}, exist, at once`]: ['nodeCreated'],
    [`${call}, child, at once`]: ['nodeChildrenChanged', 'nodeDeleted'],
  };
}

/** The cells that are empty and should not be. */
export function emptyCells(tally: Tally): string[] {
  const empty = (expected: typeof OUTCOMES, table: ReadonlyMap<string, ReadonlyMap<string, number>>): string[] =>
    Object.entries(expected).flatMap(([row, cells]) => cells.filter((cell) => !table.get(row)?.has(cell)).map((cell) => `${row}: ${cell}`));
  return [...empty(OUTCOMES, tally.outcomes), ...empty(EVENTS, tally.events)];
}

export function report(tally: Tally): string[] {
  return [
    'operations and how they came out, at both (", end": the server has ended the connection):',
    ...lines(tally.outcomes),
    'watches, by the call that left them, and the events that they met, at both:',
    ...lines(tally.events),
    'rows of docs/compatibility.md that were needed:',
    ...KNOWN.map(({ row }) => `  ${String(tally.rows.get(row) ?? 0).padStart(7)}  ${row}`),
  ];
}

function lines(table: ReadonlyMap<string, ReadonlyMap<string, number>>): string[] {
  const rows = [...table].sort(([left], [right]) => (left < right ? -1 : 1));
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, cells]) => {
    const counts = [...cells].sort(([, left], [, right]) => right - left).map(([cell, number]) => `${cell} ${number}`);
    return `  ${name.padEnd(width)}  ${counts.join(' | ')}`;
  });
}
