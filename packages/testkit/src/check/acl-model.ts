/**
 * What permissions mean (zookeeper.md 1.6), as a second opinion that shares no code with the server. As wide as the workload: the schemes `world`, `digest`
 * and `auth`; no addresses, and nobody who may do everything.
 */
import type { Acl } from '@quorate/protocol';
import type { ProvedIds } from './identities.js';

/** Whether somebody with these ids has one of the permissions. */
export function mayDo(acl: readonly Acl[], perms: number, proved: ProvedIds): boolean {
  return acl.some((entry) => {
    const { scheme, id } = entry.id;
    const applies = scheme === 'world' || (scheme === 'digest' && proved.includes(id));
    return applies && (entry.perms & perms) !== 0;
  });
}

/** The ACL of a znode for which somebody with these ids asks for `asked`; undefined where that is none. */
export function aclOf(asked: readonly Acl[], proved: ProvedIds): readonly Acl[] | undefined {
  const distinct = asked.filter((entry, place) => asked.findIndex((other) => isSameEntry(entry, other)) === place);
  const acl = distinct.flatMap((entry) =>
    entry.id.scheme === 'auth' ? proved.map((id) => ({ perms: entry.perms, id: { scheme: 'digest', id } })) : [entry],
  );
  const isProved = proved.length > 0 || distinct.every((entry) => entry.id.scheme !== 'auth');
  const isKnown = acl.every(({ id }) => id.scheme === 'world' || id.scheme === 'digest');
  return acl.length > 0 && isProved && isKnown ? acl : undefined;
}

/** An ACL as somebody sees it who may not change it: users, and no digests (CVE-2019-0201). */
export function withoutDigests(acl: readonly Acl[]): readonly Acl[] {
  return acl.map(({ perms, id: { scheme, id } }) => ({ perms, id: { scheme, id: scheme === 'digest' ? id.replace(/:.*/, ':x') : id } }));
}

export function isSameAcl(a: readonly Acl[], b: readonly Acl[]): boolean {
  return a.length === b.length && a.every((entry, place) => isSameEntry(entry, b[place] as Acl));
}

function isSameEntry(a: Acl, b: Acl): boolean {
  return a.perms === b.perms && a.id.scheme === b.id.scheme && a.id.id === b.id.id;
}
