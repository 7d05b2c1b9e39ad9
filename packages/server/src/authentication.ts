import type { AuthIds } from './auth-ids.js';
import { addDigestAuth } from './digest-auth.js';
import { readPayload } from './payload.js';

/** What a connection has proved after this addauth; undefined where it is not valid. */
export function authenticate(
  ids: AuthIds,
  { scheme, auth, superDigest }: { readonly scheme: string; readonly auth: Uint8Array; readonly superDigest: string | undefined },
): AuthIds | undefined {
  // Where the client is was known from the start, where there is such a place at all.
  if (scheme === 'ip') return ids.some((own) => own.scheme === 'ip') ? ids : undefined;
  // A certificate was shown before the handshake, or never.
  if (scheme === 'x509') return ids.some((own) => own.scheme === 'x509') ? ids : undefined;
  if (scheme !== 'digest') return undefined;
  return readPayload(auth, (bytes) => addDigestAuth(ids, bytes, superDigest));
}
