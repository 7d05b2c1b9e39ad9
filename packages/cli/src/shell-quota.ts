/**
 * Quotas of a subtree, as zkCli.sh sets, lists and deletes them: two znodes below `/zookeeper/quota` and the path, one that says what is allowed and one in which the servers
 * count what is there.
 */
import type { Client } from '@quorate/client';
import { formatQuotaNumbers, limitsPathOf, parseQuota, QUOTA_PATH, statsPathOf } from '@quorate/node';
import { isZooKeeperError } from '@quorate/protocol';
import { UsageError } from './io.js';
import type { Answer, Call } from './shell-commands.js';

/** The limits, by the option that sets each: the soft ones are small letters. Znodes, and bytes of data. */
const LIMITS = [
  ['count', 'n', 'count'],
  ['bytes', 'b', 'bytes'],
  ['hard-count', 'N', 'countHardLimit'],
  ['hard-bytes', 'B', 'byteHardLimit'],
] as const;

/** What says that there is no limit. */
const NONE = -1n;

const optionsOf = <T extends string>(type: T) => Object.fromEntries(LIMITS.map(([option, short]) => [option, { type, short }]));

/** The options of `setquota`, each with a number, and of `delquota`, without. */
export const QUOTA_NUMBERS = optionsOf('string' as const);
export const QUOTA_FLAGS = optionsOf('boolean' as const);

export async function setQuota({ client, values, args: [path = ''] }: Call): Promise<Answer> {
  const wanted = LIMITS.flatMap(([option, short, name]) => {
    const value = values[option];
    return typeof value === 'string' ? [[name, limitOf(short, value)] as const] : [];
  });
  if (wanted.length === 0) throw new UsageError('setquota takes a limit at least: -n or -N for znodes, -b or -B for bytes');
  checkPath(path);
  if ((await client.exists(path)) === undefined) throw new UsageError(`${path} does not exist: a quota is for a znode and all below it`);
  const before = await limitsAt(client, path);
  if (before === undefined) await checkAlone(client, path);
  const limits = formatQuotaNumbers(new Map([...(before?.numbers ?? []), ...wanted]));
  if (before === undefined) await createQuota(client, path, limits);
  else await client.setData(limitsPathOf(path), limits, { version: before.version });
  return { text: '', json: { path, limits: new TextDecoder().decode(limits) } };
}

export async function listQuota({ client, args: [path = ''] }: Call): Promise<Answer> {
  checkPath(path);
  const place = limitsPathOf(path);
  const limits = await textAt(client, place);
  const stats = limits === undefined ? undefined : await textAt(client, statsPathOf(path));
  if (limits === undefined) return { text: `absolute path is ${place}\nquota for ${path} does not exist.`, json: { path, limits: null } };
  const lines = [`absolute path is ${place}`, `Output quota for ${path} ${limits}`, `Output stat for ${path} ${stats ?? ''}`];
  return { text: lines.join('\n'), json: { path, limits, stats: stats ?? null } };
}

/** Without an option the quota goes as a whole. */
export async function deleteQuota({ client, values, args: [path = ''] }: Call): Promise<Answer> {
  checkPath(path);
  const before = await limitsAt(client, path);
  if (before === undefined) throw new UsageError(`quota for ${path} does not exist.`);
  const gone = LIMITS.filter(([option]) => values[option] === true);
  if (gone.length === 0) await removeQuota(client, path);
  else {
    const limits = new Map(before.numbers);
    for (const [, , name] of gone) limits.set(name, NONE);
    await client.setData(limitsPathOf(path), formatQuotaNumbers(limits), { version: before.version });
  }
  return { text: '', json: { path } };
}

function limitOf(short: string, text: string): bigint {
  const least = short === 'n' || short === 'N' ? 1n : 0n;
  if (/^\d{1,18}$/.test(text) && BigInt(text) >= least) return BigInt(text);
  throw new UsageError(`-${short} takes a whole number of ${least} or more, not ${JSON.stringify(text)}`);
}

function checkPath(path: string): void {
  if (path === '/') throw new UsageError('the root has no quota: give the path of a znode below it');
  if (path === QUOTA_PATH || path.startsWith(`${QUOTA_PATH}/`)) throw new UsageError(`cannot set a quota under the path: ${QUOTA_PATH}`);
}

async function limitsAt(client: Client, path: string) {
  const found = await ifThere(client.getData(limitsPathOf(path)));
  if (found === undefined) return undefined;
  const numbers = parseQuota(found.data);
  if (numbers === undefined) throw new UsageError(`${limitsPathOf(path)} says nothing that can be read as a quota`);
  return { numbers, version: found.stat.version };
}

/** A znode counts in one quota: none may stand above it or below it. */
async function checkAlone(client: Client, path: string): Promise<void> {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const above = path.slice(0, end);
    if ((await client.exists(limitsPathOf(above))) !== undefined) throw new UsageError(`${path} has a parent ${above} which has a quota`);
  }
  const next = [path];
  for (let below = next.pop(); below !== undefined; below = next.pop()) {
    const found = await ifThere(client.getChildren(QUOTA_PATH + below));
    for (const child of found?.children ?? []) {
      if (child === 'zookeeper_limits') throw new UsageError(`${path} has a child ${below} which has a quota`);
      if (child !== 'zookeeper_stats') next.push(`${below}/${child}`);
    }
  }
}

async function createQuota(client: Client, path: string, limits: Uint8Array): Promise<void> {
  for (let end = path.indexOf('/', 1); ; end = path.indexOf('/', end + 1)) {
    await unless('NODE_EXISTS', client.create(QUOTA_PATH + (end === -1 ? path : path.slice(0, end))));
    if (end === -1) break;
  }
  await client.multi([
    { op: 'create', path: limitsPathOf(path), data: limits },
    { op: 'create', path: statsPathOf(path), data: 'count=0,bytes=0' },
  ]);
}

/** With what was made for it alone. */
async function removeQuota(client: Client, path: string): Promise<void> {
  await unless('NO_NODE', client.delete(statsPathOf(path)));
  await client.delete(limitsPathOf(path));
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const found = await ifThere(client.getChildren(QUOTA_PATH + at));
    if (found !== undefined && found.children.length > 0) return;
    // Somebody else may have been quicker, or have made another quota below it.
    await unless('NOT_EMPTY', unless('NO_NODE', client.delete(QUOTA_PATH + at)));
  }
}

async function textAt(client: Client, path: string): Promise<string | undefined> {
  const found = await ifThere(client.getData(path));
  return found === undefined ? undefined : new TextDecoder().decode(found.data);
}

function ifThere<T>(call: Promise<T>): Promise<T | undefined> {
  return unless('NO_NODE', call);
}

/** Undefined where the call fails with this. */
async function unless<T>(code: 'NO_NODE' | 'NODE_EXISTS' | 'NOT_EMPTY', call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (!isZooKeeperError(error, code)) throw error;
    return undefined;
  }
}
