/**
 * The scheme `digest` (`DigestAuthenticationProvider`): "user:password" proves the id "user:" + base64(SHA-1("user:password")).
 *
 * It is unsalted SHA-1 because every ZooKeeper client and ACL in the world has it so; it keeps honest clients apart and no more.
 */
import { sha1 } from '@noble/hashes/legacy.js';
import type { Id } from '@quorate/protocol';
import { decodeUtf8 } from '@quorate/protocol';
import { type AuthIds, SUPER_SCHEME } from './auth-ids.js';

const COLON = 0x3a;

/**
 * The id that "user:password" proves, as an ACL names it. All of it is hashed, and everything before the first colon is the user.
 *
 * @throws ProtocolError where the user is not UTF-8.
 */
export function digestId(auth: Uint8Array): string {
  const colon = auth.indexOf(COLON);
  const user = decodeUtf8(colon === -1 ? auth : auth.subarray(0, colon));
  return `${user}:${base64(sha1(auth))}`;
}

/** The ids of a connection after addauth of the scheme `digest`; `superDigest` is the id that may do everything. */
export function addDigestAuth(ids: AuthIds, auth: Uint8Array, superDigest: string | undefined): AuthIds {
  const id = digestId(auth);
  const added = id === superDigest ? withId(ids, { scheme: SUPER_SCHEME, id: '' }) : ids;
  return withId(added, { scheme: 'digest', id });
}

/** The user of an id, which is no secret. */
export function userOf(id: string): string {
  const colon = id.indexOf(':');
  return colon === -1 ? id : id.slice(0, colon);
}

/** Whether an ACL may name this id: two parts around one colon, the second not empty (Java's `split(":").length == 2`). */
export function isDigestId(id: string): boolean {
  const parts = id.split(':');
  while (parts.length > 0 && parts[parts.length - 1] === '') parts.pop();
  return parts.length === 2;
}

function withId(ids: AuthIds, added: Id): AuthIds {
  return ids.some(({ scheme, id }) => scheme === added.scheme && id === added.id) ? ids : [...ids, added];
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += ALPHABET.charAt(group >> 18) + ALPHABET.charAt((group >> 12) & 63);
    text += i + 1 < bytes.length ? ALPHABET.charAt((group >> 6) & 63) : '=';
    text += i + 2 < bytes.length ? ALPHABET.charAt(group & 63) : '=';
  }
  return text;
}
