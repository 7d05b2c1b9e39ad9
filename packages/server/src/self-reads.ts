/** What a client asks about itself (`FinalRequestProcessor`: whoAmI, getEphemerals). No ACL stands in the way. */
import { type Id, OpCode, type Response } from '@quorate/protocol';
import type { DataTree } from '@quorate/tree';
import type { AuthIds } from './auth-ids.js';
import { userOf } from './digest-auth.js';

/** What a connection has proved, without secrets: of a digest the user, of `super` nothing (`AuthUtil.getClientInfos`). */
export function whoAmI(ids: AuthIds): Response {
  return { type: OpCode.whoAmI, clientInfo: ids.map(shown) };
}

/** A session's own ephemerals whose paths begin with a prefix, in order of creation. */
export function ephemeralsWith(tree: DataTree, session: bigint, prefix: string): Response {
  const all = tree.ephemeralsOf(session);
  const bare = trimmed(prefix);
  // The prefix counts with its blanks where it is one: ZooKeeper trims it for this question alone.
  const ephemerals = bare === '' || bare === '/' ? all : all.filter((path) => path.startsWith(prefix));
  return { type: OpCode.getEphemerals, ephemerals };
}

function shown({ scheme, id }: Id): Id {
  if (scheme === 'digest') return { scheme, id: userOf(id) };
  return { scheme, id };
}

const BLANK_MAX = 0x20;

/** Java's `trim`: everything up to the blank. */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= BLANK_MAX) start++;
  while (start < end && text.charCodeAt(end - 1) <= BLANK_MAX) end--;
  return text.slice(start, end);
}
