/** What the shell shows, as zkCli.sh shows it. */
import type { WatchEvent } from '@quorate/client';
import { permissionLetters, permissionsOf } from '@quorate/node';
import { type Acl, formatSessionId, formatZxid, isZooKeeperError, type Stat } from '@quorate/protocol';

export function statText(stat: Stat): string {
  return [
    `cZxid = ${formatZxid(stat.czxid)}`,
    `ctime = ${dateText(stat.ctime)}`,
    `mZxid = ${formatZxid(stat.mzxid)}`,
    `mtime = ${dateText(stat.mtime)}`,
    `pZxid = ${formatZxid(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${formatSessionId(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ].join('\n');
}

/** A Stat with what JSON can hold: session ids as the hexadecimal that everybody knows them by. */
export function statJson(stat: Stat): object {
  return { ...stat, ephemeralOwner: formatSessionId(stat.ephemeralOwner) };
}

/** In UTC, as Java prints a date. */
function dateText(ms: number): string {
  const [day, date, month, year, time] = new Date(ms).toUTCString().replace(',', '').split(' ');
  return `${day} ${month} ${date} ${time} UTC ${year}`;
}

/** `scheme:id:perms,…`, where an id may have colons of its own; a message where it is none. */
export function parseAcl(text: string): readonly Acl[] | string {
  const entries: Acl[] = [];
  for (const part of text.split(',')) {
    const match = /^([^:]+):(.*):([cdrwa]+)$/.exec(part.trim());
    if (match === null) return `${JSON.stringify(part)} must be scheme:id:permissions, like world:anyone:cdrwa`;
    const [, scheme = '', id = '', letters = ''] = match;
    const perms = permissionsOf(letters);
    entries.push({ perms, id: { scheme, id } });
  }
  return entries;
}

export function aclText(acl: readonly Acl[]): string {
  return acl.map(({ perms, id }) => `'${id.scheme},'${id.id}\n: ${permissionLetters(perms)}`).join('\n');
}

export function eventText({ type, path, zxid }: WatchEvent): string {
  return `\nWATCHER::\n\nWatchedEvent state:SyncConnected type:${javaName(type)} path:${path} zxid: ${zxid}\n`;
}

/** zkCli.sh's sentences for what happens every day; the message of the error for the rest. */
const sentences = {
  NO_NODE: 'Node does not exist',
  NODE_EXISTS: 'Node already exists',
  NOT_EMPTY: 'Node not empty',
  BAD_VERSION: 'version No is not valid',
  NO_AUTH: 'Insufficient permission',
  NO_CHILDREN_FOR_EPHEMERALS: 'Ephemerals cannot have children',
  INVALID_ACL: 'Acl is not valid',
} as const;

export function errorText(error: unknown): string {
  for (const [code, sentence] of Object.entries(sentences))
    if (isZooKeeperError(error, code as keyof typeof sentences)) return `${sentence}: ${error.path ?? ''}`;
  return (error as Error).message;
}

/** NODE_DATA_CHANGED is NodeDataChanged there. */
function javaName(type: string): string {
  return type.replace(/([A-Z])([A-Z]*)_?/g, (_, first: string, rest: string) => first + rest.toLowerCase());
}
