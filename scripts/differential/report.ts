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
  closeSession: ['OK, end'],
  check: ['none'],
  'connect (new)': ['OK', 'none, end'],
  'connect (own)': ['OK', 'none, end'],
  'connect (other)': ['OK'],
  'connect (stranger)': ['refused'],
  'connect (closed)': ['refused'],
  'connect (unknown)': ['refused'],
  'unknown opcode': ['UNIMPLEMENTED, end'],
};
const EVENTS: Readonly<Record<string, readonly string[]>> = {
  exists: ['nodeCreated', 'nodeDataChanged', 'nodeDeleted'],
  getData: ['nodeDataChanged', 'nodeDeleted'],
  getChildren: ['nodeChildrenChanged', 'nodeDeleted'],
  getChildren2: ['nodeChildrenChanged', 'nodeDeleted'],
  'setWatches, data': ['nodeDataChanged', 'nodeDeleted'],
  'setWatches, exist': ['nodeCreated'],
  'setWatches, child': ['nodeChildrenChanged', 'nodeDeleted'],
  'setWatches, data, at once': ['nodeDataChanged', 'nodeDeleted'],
  'setWatches, exist, at once': ['nodeCreated'],
  'setWatches, child, at once': ['nodeChildrenChanged', 'nodeDeleted'],
};

/** The cells that are empty and should not be. */
export function emptyCells(tally: Tally): string[] {
  const empty = (expected: typeof OUTCOMES, table: ReadonlyMap<string, ReadonlyMap<string, number>>): string[] =>
    Object.entries(expected).flatMap(([row, cells]) => cells.filter((cell) => !table.get(row)?.has(cell)).map((cell) => `${row}: ${cell}`));
  return [...empty(OUTCOMES, tally.outcomes), ...empty(EVENTS, tally.events)];
}

export function report(tally: Tally): string[] {
  return [
    'operations and how they came out (", end": the server has ended the connection):',
    ...lines(tally.outcomes),
    'watches, by the call that left them, and the events that they met:',
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
