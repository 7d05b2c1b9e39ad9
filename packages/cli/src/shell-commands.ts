/** The commands of the shell: those of zkCli.sh, by their names and options. */
import type { ParseArgsConfig } from 'node:util';
import type { Client, WatchEvent } from '@quorate/client';
import { FULL_VERSION, permissionLetters } from '@quorate/node';
import { type Acl, CreateMode, isZooKeeperError, type Stat, WatcherType } from '@quorate/protocol';
import { UsageError } from './io.js';
import { deleteQuota, listQuota, QUOTA_FLAGS, QUOTA_NUMBERS, setQuota } from './shell-quota.js';
import { aclText, parseAcl, statJson, statText } from './shell-text.js';

/** What a command has found: as text, and as what JSON can hold. */
export interface Answer {
  readonly text: string;
  readonly json: unknown;
}

/** What a command is given. */
export interface Call {
  readonly client: Client;
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly args: readonly string[];
  /** Shows an event, whenever it comes. */
  readonly onEvent: (event: WatchEvent) => void;
}

export interface Command {
  readonly usage: string;
  /** How many words behind the options. */
  readonly args: readonly [min: number, max: number];
  readonly options?: NonNullable<ParseArgsConfig['options']>;
  run(call: Call): Promise<Answer>;
}

const flag = (short: string) => ({ type: 'boolean', short }) as const;
const text = (short: string) => ({ type: 'string', short }) as const;
const STAT = { stat: flag('s') };
const WATCH = { watch: flag('w') };
const VERSION = { version: text('v') };

/** How many znodes `deleteall` deletes in one multi, unless it is told otherwise. */
const BATCH = 1_000;

export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'create',
    {
      usage: 'create [-s] [-e] [-c] [-t ttl] path [data] [acl]',
      args: [1, 3],
      options: { sequential: flag('s'), ephemeral: flag('e'), container: flag('c'), ttl: text('t') },
      run: create,
    },
  ],
  ['get', { usage: 'get [-s] [-w] path', args: [1, 1], options: { ...STAT, ...WATCH }, run: get }],
  ['set', { usage: 'set [-s] [-v version] path data', args: [2, 2], options: { ...STAT, ...VERSION }, run: set }],
  ['ls', { usage: 'ls [-s] [-w] [-R] path', args: [1, 1], options: { ...STAT, ...WATCH, recursive: flag('R') }, run: ls }],
  ['stat', { usage: 'stat [-w] path', args: [1, 1], options: WATCH, run: stat }],
  ['delete', { usage: 'delete [-v version] path', args: [1, 1], options: VERSION, run: remove }],
  ['deleteall', { usage: 'deleteall [-b batch size] path', args: [1, 1], options: { batch: text('b') }, run: removeAll }],
  ['getAcl', { usage: 'getAcl [-s] path', args: [1, 1], options: STAT, run: getAcl }],
  ['setAcl', { usage: 'setAcl [-s] [-v version] path acl', args: [2, 2], options: { ...STAT, ...VERSION }, run: setAcl }],
  ['addauth', { usage: 'addauth scheme auth', args: [1, 2], run: addAuth }],
  ['sync', { usage: 'sync path', args: [1, 1], run: sync }],
  ['getEphemerals', { usage: 'getEphemerals [path]', args: [0, 1], run: getEphemerals }],
  ['getAllChildrenNumber', { usage: 'getAllChildrenNumber path', args: [1, 1], run: getAllChildrenNumber }],
  ['addWatch', { usage: 'addWatch [-m PERSISTENT|PERSISTENT_RECURSIVE] path', args: [1, 1], options: { mode: text('m') }, run: addWatch }],
  [
    'removewatches',
    {
      usage: 'removewatches [-c|-d|-a] [-l] path',
      args: [1, 1],
      options: { children: flag('c'), data: flag('d'), any: flag('a'), local: flag('l') },
      run: removeWatches,
    },
  ],
  ['setquota', { usage: 'setquota [-n|-N znodes] [-b|-B bytes] path', args: [1, 1], options: QUOTA_NUMBERS, run: setQuota }],
  ['listquota', { usage: 'listquota path', args: [1, 1], run: listQuota }],
  ['delquota', { usage: 'delquota [-n|-N|-b|-B] path', args: [1, 1], options: QUOTA_FLAGS, run: deleteQuota }],
  ['config', { usage: 'config [-s] [-w]', args: [0, 0], options: { ...STAT, ...WATCH }, run: config }],
  ['whoami', { usage: 'whoami', args: [0, 0], run: whoAmI }],
  ['version', { usage: 'version', args: [0, 0], run: version }],
]);

async function create({ client, values, args: [path = '', data = '', acl] }: Call): Promise<Answer> {
  const { ttl } = values;
  const mode = createModeOf(values);
  const created = await client.create(path, data, {
    mode,
    ...(typeof ttl === 'string' && { ttlMs: numberOf('-t', ttl) }),
    ...(acl !== undefined && { acl: aclOf(acl) }),
  });
  return { text: `Created ${created.path}`, json: { path: created.path, stat: statJson(created.stat) } };
}

function createModeOf({ sequential = false, ephemeral = false, container = false, ttl }: Call['values']): CreateMode {
  const lasting = [ephemeral, container, ttl !== undefined].filter(Boolean).length;
  if (lasting > 1 || (container && sequential)) throw new UsageError('-e, -c and -t exclude each other, and -c goes without -s');
  if (container) return CreateMode.CONTAINER;
  if (ttl !== undefined) return sequential ? CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL : CreateMode.PERSISTENT_WITH_TTL;
  if (ephemeral) return sequential ? CreateMode.EPHEMERAL_SEQUENTIAL : CreateMode.EPHEMERAL;
  return sequential ? CreateMode.PERSISTENT_SEQUENTIAL : CreateMode.PERSISTENT;
}

async function get({ client, values, args: [path = ''], onEvent }: Call): Promise<Answer> {
  const { data, stat } = await client.getData(path, values.watch === true ? { watch: onEvent } : {});
  return withStat(values, new TextDecoder().decode(data), dataJson(data), stat);
}

async function set({ client, values, args: [path = '', data = ''] }: Call): Promise<Answer> {
  const stat = await client.setData(path, data, versionOf(values));
  return { text: values.stat === true ? statText(stat) : '', json: { stat: statJson(stat) } };
}

async function ls(call: Call): Promise<Answer> {
  const {
    client,
    values,
    args: [path = ''],
    onEvent,
  } = call;
  if (values.recursive === true) {
    const paths = await descendants(client, path);
    return { text: paths.join('\n'), json: { paths } };
  }
  const { children, stat } = await client.getChildren(path, values.watch === true ? { watch: onEvent } : {});
  children.sort();
  return withStat(values, `[${children.join(', ')}]`, { children }, stat);
}

async function stat({ client, values, args: [path = ''], onEvent }: Call): Promise<Answer> {
  const found = await client.exists(path, values.watch === true ? { watch: onEvent } : {});
  if (found === undefined) throw new Error(`Node does not exist: ${path}`);
  return { text: statText(found), json: { stat: statJson(found) } };
}

async function remove({ client, values, args: [path = ''] }: Call): Promise<Answer> {
  await client.delete(path, versionOf(values));
  return { text: '', json: {} };
}

/** From the leaves up, so many at a time; what others create meanwhile may stay, and NOT_EMPTY says so. */
async function removeAll({ client, values, args: [path = ''] }: Call): Promise<Answer> {
  const batch = typeof values.batch === 'string' ? numberOf('-b', values.batch) : BATCH;
  if (batch === 0) throw new UsageError('-b takes a number above 0');
  const paths = (await descendants(client, path)).reverse();
  for (let at = 0; at < paths.length; at += batch)
    await client.multi(paths.slice(at, at + batch).map((each) => ({ op: 'delete', path: each }) as const));
  return { text: '', json: { deleted: paths.length } };
}

/** A path and all below it, each znode before its children and these in the order of their names. A znode that goes meanwhile is left out. */
async function descendants(client: Client, path: string): Promise<string[]> {
  const paths: string[] = [];
  const next = [path];
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    try {
      const { children } = await client.getChildren(at);
      paths.push(at);
      for (const child of children.sort().reverse()) next.push(at === '/' ? `/${child}` : `${at}/${child}`);
    } catch (error) {
      if (at === path || !isZooKeeperError(error, 'NO_NODE')) throw error;
    }
  }
  return paths;
}

async function getAcl({ client, values, args: [path = ''] }: Call): Promise<Answer> {
  const { acl, stat } = await client.getACL(path);
  return withStat(values, aclText(acl), { acl: acl.map(({ perms, id }) => ({ ...id, perms: permissionLetters(perms) })) }, stat);
}

async function setAcl({ client, values, args: [path = '', acl = ''] }: Call): Promise<Answer> {
  const stat = await client.setACL(path, aclOf(acl), versionOf(values));
  return { text: values.stat === true ? statText(stat) : '', json: { stat: statJson(stat) } };
}

async function addAuth({ client, args: [scheme = '', auth = ''] }: Call): Promise<Answer> {
  await client.addAuth(scheme, auth);
  return { text: '', json: {} };
}

async function sync({ client, args: [path = ''] }: Call): Promise<Answer> {
  await client.sync(path);
  return { text: 'Sync is OK', json: {} };
}

async function getEphemerals({ client, args: [path = '/'] }: Call): Promise<Answer> {
  const ephemerals = await client.getEphemerals(path);
  return { text: `[${ephemerals.join(', ')}]`, json: { ephemerals } };
}

async function getAllChildrenNumber({ client, args: [path = ''] }: Call): Promise<Answer> {
  const number = await client.getAllChildrenNumber(path);
  return { text: String(number), json: { number } };
}

async function addWatch({ client, values, args: [path = ''], onEvent }: Call): Promise<Answer> {
  const { mode = 'PERSISTENT_RECURSIVE' } = values;
  if (mode !== 'PERSISTENT' && mode !== 'PERSISTENT_RECURSIVE') throw new UsageError('-m takes PERSISTENT or PERSISTENT_RECURSIVE');
  await client.addWatch(path, { recursive: mode === 'PERSISTENT_RECURSIVE', watch: onEvent });
  return { text: '', json: {} };
}

async function removeWatches({ client, values, args: [path = ''] }: Call): Promise<Answer> {
  const type = values.children === true ? WatcherType.children : values.data === true ? WatcherType.data : WatcherType.any;
  await client.removeWatches(path, { type, local: values.local === true });
  return { text: '', json: {} };
}

function config(call: Call): Promise<Answer> {
  return get({ ...call, args: ['/zookeeper/config'] });
}

async function whoAmI({ client }: Call): Promise<Answer> {
  const ids = await client.whoAmI();
  return { text: ['Auth scheme: User', ...ids.map(({ scheme, id }) => `${scheme}: ${id}`)].join('\n'), json: { ids } };
}

function version(): Promise<Answer> {
  return Promise.resolve({ text: `ZooKeeper CLI version: ${FULL_VERSION}`, json: { version: FULL_VERSION } });
}

function withStat(values: Call['values'], shown: string, json: object, stat: Stat): Answer {
  return { text: values.stat === true ? `${shown}\n${statText(stat)}` : shown, json: { ...json, stat: statJson(stat) } };
}

/** As text where it is UTF-8, else as base64. */
function dataJson(data: Uint8Array): object {
  try {
    return { data: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data) };
  } catch {
    return { base64: Buffer.from(data).toString('base64') };
  }
}

function versionOf({ version: given }: Call['values']): { readonly version?: number } {
  return typeof given === 'string' ? { version: numberOf('-v', given) } : {};
}

function numberOf(name: string, given: string): number {
  if (!/^-?\d+$/.test(given)) throw new UsageError(`${name} takes a whole number, not ${JSON.stringify(given)}`);
  return Number(given);
}

function aclOf(given: string): readonly Acl[] {
  const acl = parseAcl(given);
  if (typeof acl === 'string') throw new UsageError(acl);
  return acl;
}
