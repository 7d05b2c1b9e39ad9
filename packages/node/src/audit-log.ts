/**
 * Who has changed what (`ZKAuditProvider`): an entry for each create, delete, setData, setAcl and reconfig of a client, alone or in a multi, by the server
 * to which the client is connected; and for each ephemeral that went with its session, by the leader.
 *
 * Of an id no more is told than whose it is: a digest's hash stays away (CVE-2019-0201).
 */
import { type Acl, CreateMode, createModeFromFlag, formatSessionId, OpCode, type Request } from '@quorate/protocol';
import { maskDigests, type SessionEnd, type WriteOutcome } from '@quorate/server';
import { permissionLetters } from './permission-letters.js';

export interface AuditEntry {
  readonly operation: string;
  /** `invoked`: nobody was there any more to be told what has become of it. */
  readonly result: 'success' | 'failure' | 'invoked';
  readonly session?: string;
  /** Whom the connection had proved to be, without where it comes from; none where it had proved nothing. */
  readonly user?: string;
  readonly ip?: string;
  readonly znode?: string;
  readonly znodeType?: string;
  readonly acl?: string;
}

/** The entries of a write; none for one that is not audited. */
export function auditWrite({ session, authIds, request, answer }: WriteOutcome): readonly AuditEntry[] {
  const result = answer === undefined ? 'invoked' : answer.err === 0 ? 'success' : 'failure';
  const users = authIds
    .filter(({ scheme }) => scheme !== 'ip')
    .map(({ scheme, id }) => (scheme === 'digest' ? (id.split(':')[0] ?? '') : id || scheme));
  const ip = authIds.find(({ scheme }) => scheme === 'ip')?.id;
  const who = { session: formatSessionId(session), ...(users.length > 0 && { user: users.join() }), ...(ip !== undefined && { ip }) };
  if (request.type !== OpCode.multi) return entryOf(request).map((what) => ({ ...what, result, ...who }));
  if (result !== 'success') return [{ operation: 'multiOperation', result, ...who }];
  return request.ops.flatMap((op) => entryOf(op)).map((what) => ({ ...what, result, ...who }));
}

/** The entries of the end of a session. */
export function auditSessionEnd({ session, ephemerals }: SessionEnd): readonly AuditEntry[] {
  const operation = 'ephemeralZNodeDeletionOnSessionCloseOrExpire';
  return ephemerals.map((znode) => ({ operation, result: 'success', session: formatSessionId(session), znode }));
}

type What = Pick<AuditEntry, 'operation' | 'znode' | 'znodeType' | 'acl'>;

function entryOf(request: Request): readonly What[] {
  switch (request.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return [{ operation: 'create', znode: request.path, znodeType: typeName(request.flags), acl: aclText(request.acl) }];
    case OpCode.delete:
      return [{ operation: 'delete', znode: request.path }];
    case OpCode.setData:
      return [{ operation: 'setData', znode: request.path }];
    case OpCode.setACL:
      return [{ operation: 'setAcl', znode: request.path, acl: aclText(request.acl) }];
    case OpCode.reconfig:
      return [{ operation: 'reconfig' }];
    default:
      return [];
  }
}

const typeNames: ReadonlyMap<CreateMode, string> = new Map(
  Object.entries(CreateMode).map(([name, mode]) => [mode, name.toLowerCase()] as const),
);

function typeName(flags: number): string {
  const mode = createModeFromFlag(flags);
  return (mode === undefined ? undefined : typeNames.get(mode)) ?? 'unknown';
}

function aclText(acl: readonly Acl[]): string {
  return maskDigests(acl)
    .map(({ perms, id }) => `${id.scheme}:${id.id}:${permissionLetters(perms)}`)
    .join();
}
