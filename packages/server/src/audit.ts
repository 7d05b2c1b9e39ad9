/** What an audit log is told (`AuditHelper`, `ZKAuditProvider`). */
import { ErrorCode, OpCode, type Request, type Response, type Zxid } from '@quorate/protocol';
import type { AuthIds } from './auth-ids.js';

/** A write of a client, by the server to which the client is connected. */
export interface WriteOutcome {
  readonly session: bigint;
  /** What the connection had proved when the request came. Ids of the scheme `digest` hold a hash that is no affair of a log. */
  readonly authIds: AuthIds;
  readonly request: Request;
  /** Undefined where the connection has ended before the answer, so that this server does not say what became of it. */
  readonly answer: { readonly zxid: Zxid; readonly err: number } | undefined;
}

/** A session has ended, and with it the ephemerals that it had; told by the leader alone. */
export interface SessionEnd {
  readonly session: bigint;
  readonly zxid: Zxid;
  readonly ephemerals: readonly string[];
}

/** The error of a write; that of a multi is the one in its results. */
export function errorOf(err: number, response: Response | undefined): number {
  if (err !== ErrorCode.OK || response?.type !== OpCode.multi) return err;
  for (const result of response.results) if (result.type === OpCode.error && result.err !== ErrorCode.OK) return result.err;
  return ErrorCode.OK;
}
