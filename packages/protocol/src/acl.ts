import type { Codec } from './codec.js';
import type { JuteReader } from './jute-reader.js';
import { JuteWriter } from './jute-writer.js';

/** What an ACL entry permits, to be combined by `|` (`ZooDefs.Perms`). */
export const Permission = { READ: 1, WRITE: 2, CREATE: 4, DELETE: 8, ADMIN: 16, ALL: 31 } as const;

/** Who: a scheme (`world`, `auth`, `digest`, `ip` …) and, within it, an id. */
export interface Id {
  readonly scheme: string;
  readonly id: string;
}

/** One entry of an access control list: what `id` may do. */
export interface Acl {
  /** `Permission`s, combined. */
  readonly perms: number;
  readonly id: Id;
}

/** Everybody may do everything. */
export const OPEN_ACL_UNSAFE: readonly Acl[] = list(Permission.ALL, 'world', 'anyone');

/** Whoever is authenticated on the creating connection may do everything. */
export const CREATOR_ALL_ACL: readonly Acl[] = list(Permission.ALL, 'auth', '');

/** Everybody may read. */
export const READ_ACL_UNSAFE: readonly Acl[] = list(Permission.READ, 'world', 'anyone');

/** Record `Id`. */
export const idCodec: Codec<Id> = {
  read(reader) {
    return { scheme: reader.string(), id: reader.string() };
  },
  write(writer, id) {
    writer.string(id.scheme);
    writer.string(id.id);
  },
};

/** Record `ACL`. */
export const aclCodec: Codec<Acl> = {
  read(reader) {
    return { perms: reader.int(), id: idCodec.read(reader) };
  },
  write(writer, acl) {
    writer.int(acl.perms);
    idCodec.write(writer, acl.id);
  },
};

/** Perms and two empty strings. */
const ACL_BYTES_MIN = 12;

/** Reads a whole list. A null list reads as an empty one: ZooKeeper answers both with INVALIDACL. */
export function readAclList(reader: JuteReader): readonly Acl[] {
  // Of a hundred znodes ninety-nine are open: recognized as bytes, the list costs no objects.
  return reader.skip(OPEN_ACL_BYTES) ? OPEN_ACL_UNSAFE : reader.vector(aclCodec.read, ACL_BYTES_MIN);
}

/** Writes a whole list. */
export function writeAclList(writer: JuteWriter, acl: readonly Acl[]): void {
  if (acl === OPEN_ACL_UNSAFE) writer.raw(OPEN_ACL_BYTES);
  else writer.vector(acl, aclCodec.write);
}

const OPEN_ACL_BYTES = bytesOf(OPEN_ACL_UNSAFE);

function bytesOf(acl: readonly Acl[]): Uint8Array {
  const writer = new JuteWriter();
  writer.vector(acl, aclCodec.write);
  return writer.finish();
}

function list(perms: number, scheme: string, id: string): readonly Acl[] {
  return Object.freeze([Object.freeze({ perms, id: Object.freeze({ scheme, id }) })]);
}
