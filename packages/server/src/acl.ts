/**
 * Who may do what (`PrepRequestProcessor.fixupACL`, `ZooKeeperServer.checkACL`, `FinalRequestProcessor`, zookeeper.md 1.6).
 *
 * An id on a connection and an id in an ACL match when scheme and id are equal, which is all that `world`, `auth`, `digest` and `x509` need, or when the scheme
 * is `ip` and the address lies in the network.
 */
import { type Acl, OPEN_ACL_UNSAFE, Permission } from '@quorate/protocol';
import { type AuthIds, SUPER_SCHEME } from './auth-ids.js';
import { isDigestId, userOf } from './digest-auth.js';
import { isInNetwork, isIpId } from './ip-auth.js';

/** Whether a connection with these ids has at least one of the permissions in `perms`, combined by `|`. */
export function permits(acl: readonly Acl[], perms: number, ids: AuthIds): boolean {
  // A znode without any entry is open, as in ZooKeeper: only its own built-in znodes have none.
  if (acl === OPEN_ACL_UNSAFE || acl.length === 0) return true;
  for (const entry of acl) {
    if ((entry.perms & perms) === 0) continue;
    const { scheme, id } = entry.id;
    if (scheme === 'world' && id === 'anyone') return true;
    for (const own of ids) if (own.scheme === scheme && (own.id === id || (scheme === 'ip' && isInNetwork(own.id, id)))) return true;
  }
  for (const own of ids) if (own.scheme === SUPER_SCHEME) return true;
  return false;
}

/**
 * The ACL that a znode gets when a connection with these ids asks for `acl`: duplicates removed, `auth` replaced by the ids that were proved.
 * Undefined where it is not valid (INVALID_ACL): empty, of a scheme that is not known, or `auth` with nothing proved.
 */
export function resolveAcl(acl: readonly Acl[], ids: AuthIds): readonly Acl[] | undefined {
  if (acl.length === 0) return undefined;
  if (acl === OPEN_ACL_UNSAFE || (acl.length === 1 && isOpen(acl[0] as Acl))) return OPEN_ACL_UNSAFE;
  const resolved: Acl[] = [];
  for (let i = 0; i < acl.length; i++) {
    const entry = acl[i] as Acl;
    if (isRepeated(acl, i)) continue;
    const { scheme, id } = entry.id;
    if (scheme === 'auth') {
      let proved = false;
      for (const own of ids) {
        // An address proves nobody (isAuthenticated is false for `ip`), and `super` is no scheme that an ACL can name.
        if (own.scheme !== 'digest' && own.scheme !== 'x509') continue;
        proved = true;
        resolved.push({ perms: entry.perms, id: own });
      }
      if (!proved) return undefined;
    } else if (isValidId(scheme, id)) {
      resolved.push(entry);
    } else {
      return undefined;
    }
  }
  return resolved;
}

/** The ACL as shown to somebody who may read but not administer: the digests are secrets, the users are not (CVE-2019-0201). */
export function maskDigests(acl: readonly Acl[]): readonly Acl[] {
  return acl.map((entry) => {
    if (entry.id.scheme !== 'digest') return entry;
    return { perms: entry.perms, id: { scheme: 'digest', id: `${userOf(entry.id.id)}:x` } };
  });
}

function isValidId(scheme: string, id: string): boolean {
  switch (scheme) {
    case 'world':
      return id === 'anyone';
    case 'digest':
      return isDigestId(id);
    case 'ip':
      return isIpId(id);
    case 'x509':
      // The subject of a certificate; one that is written otherwise than `X500Principal.getName` does fits nobody.
      return id.includes('=');
    default:
      return false;
  }
}

function isOpen({ perms, id }: Acl): boolean {
  return perms === Permission.ALL && id.scheme === 'world' && id.id === 'anyone';
}

function isRepeated(acl: readonly Acl[], index: number): boolean {
  const { perms, id } = acl[index] as Acl;
  for (let i = 0; i < index; i++) {
    const earlier = acl[i] as Acl;
    if (earlier.perms === perms && earlier.id.scheme === id.scheme && earlier.id.id === id.id) return true;
  }
  return false;
}
