/**
 * The differences that docs/compatibility.md lists, as data: how each is recognised, and what the two answers are without it.
 *
 * An entry explains as little as it can: it takes out of both observations what its row is about, and everything else is compared all the same. Entries are
 * asked in their order: those that take messages out come before those that look at messages in the same place. `test/differential.test.ts` holds them against the document, row by row.
 */
import { CreateMode, OpCode, WatcherType } from '@quorate/protocol';
import { operationsOf, pathOf, requestsOf, type Step } from './history.ts';
import { isEvent, type Message, type Observation } from './observation.ts';
import {
  byEvent,
  inOneOrder,
  mapMessages,
  mapResults,
  mapSeen,
  type Pair,
  refusedByEnd,
  repliesOf,
  same,
  wholeReply,
  withoutEventsOf,
  withoutReplies,
  withoutSilent,
} from './pair.ts';
import type { StandingWatch, StandingWatches } from './standing-watches.ts';

export interface KnownContext {
  readonly step: Step;
  /** The connection of the step's slot. */
  readonly actor: string;
  /** The watches of that connection before the step. */
  readonly had: readonly StandingWatch[];
  /** All watches after the step. */
  readonly watches: StandingWatches;
  /** Whether a connection could read a znode before the step and can still: what events are filtered by. */
  mayRead(connection: string, path: string): boolean;
}

/**
 * What has to be done so that the rest of a history can be compared, besides cutting at both what only one has ended. write: both get a txn of no
 * interest, because one had it already, and the slot's client counts as having seen it, because it may have seen more of one than of the other. reset: the
 * same, and the slot's connection is cut at both, because only one has a watch for it. end: nothing, the trees differ.
 */
export type Aftermath = 'none' | 'reset' | 'write' | 'end';

export interface KnownDifference {
  /** The first cell of its row in docs/compatibility.md. */
  readonly row: string;
  readonly after: Aftermath;
  /** The two sides without this difference; undefined where it is not there. */
  explain(pair: Pair, context: KnownContext): Pair | undefined;
}

export const KNOWN: readonly KnownDifference[] = [
  {
    row: 'getData, exists, getChildren, getACL, getAllChildrenNumber, setWatches of the empty path, also in a multiRead',
    after: 'reset',
    explain(pair, { step, actor }) {
      if (step.kind === 'request' && 'relativeZxid' in step.request) return withoutEventsOf('', pair, actor);
      if (pathOf(step) !== '') return undefined;
      return wholeReply(pair, actor, (theirs, ours) => theirs['err'] === 'OK' && ours['err'] === 'NO_NODE');
    },
  },
  {
    row: 'an event about a znode that the watcher may not read, also from setWatches',
    after: 'none',
    explain({ theirs, ours }, { mayRead }) {
      let changed = false;
      const filtered = mapSeen(theirs, (seen, connection) => {
        const left = [...(ours[connection]?.messages ?? [])].filter(isEvent);
        const messages = seen.messages.filter((message) => {
          if (!isEvent(message)) return true;
          const at = left.findIndex(({ type, path }) => type === message['type'] && path === message['path']);
          if (at !== -1) left.splice(at, 1);
          if (at !== -1 || mayRead(connection, String(message['path']))) return true;
          changed = true;
          return false;
        });
        return { ...seen, messages };
      });
      return changed ? { theirs: withoutSilent(filtered), ours } : undefined;
    },
  },
  {
    row: "events of a session's end that removes several ephemerals",
    after: 'none',
    explain(pair, { step }) {
      if (!endsSession(step)) return undefined;
      let changed = false;
      const sorted = (observation: Observation): Observation =>
        mapSeen(observation, (seen) => ({ ...seen, messages: [...seen.messages].sort(byEvent) }));
      for (const [connection, { messages }] of Object.entries(pair.theirs)) {
        const ours = pair.ours[connection]?.messages ?? [];
        if (
          messages.length === ours.length &&
          messages.some((message, i) => isEvent(message) && byEvent(message, ours[i] as Message) !== 0)
        )
          changed = true;
      }
      return changed ? { theirs: sorted(pair.theirs), ours: sorted(pair.ours) } : undefined;
    },
  },
  {
    row: 'exists of a znode that the client may not read',
    after: 'reset',
    explain(pair, { step, actor, mayRead }) {
      if (step.kind !== 'request' || step.request.type !== OpCode.exists || mayRead(actor, step.request.path)) return undefined;
      return wholeReply(pair, actor, (theirs, ours) => theirs['err'] === 'OK' && ours['err'] === 'NO_AUTH');
    },
  },
  {
    row: '`check` outside a multi',
    after: 'write',
    explain({ theirs, ours }, { step, actor }) {
      if (typeOf(step) !== OpCode.check || repliesOf(ours, actor).at(-1)?.['err'] !== 'UNIMPLEMENTED') return undefined;
      if (repliesOf(theirs, actor).at(-1)?.['err'] === 'UNIMPLEMENTED') return undefined;
      return { theirs: withoutSilent(withoutReplies(theirs, actor)), ours: withoutSilent(withoutReplies(ours, actor)) };
    },
  },
  {
    row: 'create2 within a multi',
    after: 'none',
    explain: (pair) =>
      mapResults(pair, (theirs, ours) => {
        if (theirs['type'] !== 'create' || ours['type'] !== 'create2') return undefined;
        return [theirs, { type: 'create', path: ours['path'] ?? null }];
      }),
  },
  {
    row: 'a multi with a create whose flag is one with TTL (5, 6)',
    after: 'write',
    explain(pair, { step, actor }) {
      const flags = flagsOf(step);
      if (!flags.includes(CreateMode.PERSISTENT_WITH_TTL) && !flags.includes(CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL)) return undefined;
      return wholeReply(pair, actor, (theirs, ours) => theirs['err'] === 'MARSHALLING_ERROR' && ours['err'] === 'OK');
    },
  },
  {
    row: 'watches of several modes of one client at one path',
    after: 'reset',
    explain: (pair, { actor, watches }) => (watches.isMixed(actor) ? pair : undefined),
  },
  {
    row: 'checkWatches at a path where another client has a watch',
    after: 'none',
    explain(pair, { step, actor, watches }) {
      if (typeOf(step) !== OpCode.checkWatches || !watches.isElsewhere(actor, pathOf(step) ?? '')) return undefined;
      return wholeReply(pair, actor, isTakenForOne);
    },
  },
  {
    row: 'checkWatches of a path that does not begin with a slash',
    after: 'none',
    explain(pair, { step, actor }) {
      if (typeOf(step) !== OpCode.checkWatches || pathOf(step)?.startsWith('/') !== false) return undefined;
      return wholeReply(pair, actor, (theirs, ours) => theirs['err'] === 'MARSHALLING_ERROR' && isAnswerOfWatches(ours));
    },
  },
  {
    row: 'checkWatches and removeWatches of the types CHILDREN and DATA where there is a watch of addWatch',
    after: 'reset',
    explain(pair, { step, actor, had }) {
      const type = watcherTypeOf(step);
      if (type !== WatcherType.children && type !== WatcherType.data) return undefined;
      if (!had.some(({ path, mode }) => path === pathOf(step) && mode !== 'one-shot')) return undefined;
      return wholeReply(pair, actor, isTakenForOne);
    },
  },
  {
    row: 'checkWatches and removeWatches of the types PERSISTENT (4) and PERSISTENT_RECURSIVE (5)',
    after: 'reset',
    explain(pair, { step, actor }) {
      const type = watcherTypeOf(step);
      if (type !== WatcherType.persistent && type !== WatcherType.persistentRecursive) return undefined;
      return wholeReply(pair, actor, (theirs, ours) => theirs['err'] === 'MARSHALLING_ERROR' && isAnswerOfWatches(ours));
    },
  },
  {
    row: 'a session that has gone on at another server; its old connection',
    after: 'none',
    explain({ theirs, ours }, { actor }) {
      const hasMoved = theirs[actor]?.messages.some(({ kind, timeOut }) => kind === 'connected' && timeOut !== 0) === true;
      const heard = (observation: Observation, connection: string): number => observation[connection]?.messages.length ?? 0;
      const cut = Object.keys(ours).filter(
        (connection) =>
          connection !== actor &&
          ours[connection]?.ended === true &&
          (theirs[connection]?.ended !== true || heard(theirs, connection) > heard(ours, connection)),
      );
      if (!hasMoved || cut.length === 0) return undefined;
      const without = (observation: Observation): Observation =>
        withoutSilent(
          mapSeen(observation, (seen, connection) =>
            // What theirs hears there of the step itself comes behind what ours has heard.
            cut.includes(connection) ? { messages: seen.messages.slice(0, heard(ours, connection)), ended: false } : seen,
          ),
        );
      return { theirs: without(theirs), ours: without(ours) };
    },
  },
  {
    row: 'deleteContainer, createSession from a client',
    after: 'write',
    explain(pair, { step, actor }) {
      const type = typeOf(step);
      if (type !== OpCode.deleteContainer && type !== OpCode.createSession) return undefined;
      return refusedByEnd(pair, actor, (theirs) => theirs['err'] === 'BAD_ARGUMENTS' || theirs['err'] === 'MARSHALLING_ERROR');
    },
  },
  {
    row: '`auth` in an ACL, with several ids proved',
    after: 'none',
    explain: (pair) => mapMessages(pair, (theirs, ours) => inOneOrder(theirs, ours, 'acl')),
  },
  {
    row: 'getEphemerals',
    after: 'none',
    explain: (pair) => mapMessages(pair, (theirs, ours) => inOneOrder(theirs, ours, 'ephemerals')),
  },
  {
    row: 'whoAmI, with several ids proved',
    after: 'none',
    explain: (pair) => mapMessages(pair, (theirs, ours) => inOneOrder(theirs, ours, 'clientInfo')),
  },
  {
    row: 'the zxid in the header of its reply',
    after: 'none',
    explain(pair, { step, actor }) {
      if (typeOf(step) !== OpCode.auth) return undefined;
      return mapMessages(pair, (theirs, ours, connection) =>
        connection === actor && theirs['zxid'] === 0 ? same(theirs, ours, 'zxid') : undefined,
      );
    },
  },
  {
    row: 'addauth that cannot be read',
    after: 'none',
    explain(pair, { step, actor }) {
      if (step.kind !== 'bytes' || step.type !== OpCode.auth) return undefined;
      const { theirs, ours } = pair;
      if (theirs[actor]?.ended !== true || ours[actor]?.ended !== true || repliesOf(theirs, actor).length > 0) return undefined;
      return { theirs, ours: withoutReplies(ours, actor) };
    },
  },
  {
    row: 'a handshake for a live session with a wrong password',
    after: 'none',
    explain({ theirs, ours }, { step }) {
      if (step.kind !== 'connect' || step.session !== 'stranger') return undefined;
      const before = `slot ${step.slot}, before`;
      const cut = Object.keys(theirs).filter((connection) => theirs[connection]?.ended === true && ours[connection]?.ended !== true);
      if (cut.length === 0 || cut.some((connection) => connection !== before && !connection.startsWith('slot'))) return undefined;
      return {
        theirs: withoutSilent(mapSeen(theirs, (seen, connection) => (cut.includes(connection) ? { ...seen, ended: false } : seen))),
        ours,
      };
    },
  },
  {
    row: 'the zxid in the header of that reply',
    after: 'none',
    explain(pair, { actor }) {
      return mapMessages(pair, (theirs, ours, connection) =>
        connection === actor && theirs['err'] === 'UNIMPLEMENTED' && ours['err'] === 'UNIMPLEMENTED' && theirs['zxid'] === -1
          ? same(theirs, ours, 'zxid')
          : undefined,
      );
    },
  },
  {
    row: 'a session that goes on at another server; the zxid',
    after: 'none',
    explain(pair, { actor }) {
      if (pair.theirs[actor]?.messages[0]?.['kind'] !== 'connected') return undefined;
      return mapMessages(pair, (theirs, ours, connection) =>
        connection === actor && theirs['kind'] === 'reply' ? same(theirs, ours, 'zxid') : undefined,
      );
    },
  },
  {
    row: 'sasl (102), where none is configured',
    after: 'none',
    explain(pair, { step, actor }) {
      if (typeOf(step) !== OpCode.sasl) return undefined;
      const { theirs, ours } = pair;
      const answered = refusedByEnd(pair, actor, ({ kind, err }) => kind === 'opaque' && err === 'OK');
      if (answered !== undefined) return answered;
      if (theirs[actor]?.ended !== true || ours[actor]?.ended !== true || repliesOf(theirs, actor).length > 0) return undefined;
      return { theirs, ours: withoutReplies(ours, actor) };
    },
  },
  {
    row: 'a ping under another xid than −2',
    after: 'write',
    explain(pair, { step, actor }) {
      if (step.kind !== 'bytes' || step.type !== OpCode.ping) return undefined;
      return mapMessages(pair, (theirs, ours, connection) =>
        connection === actor && theirs['xid'] === -2 ? same(theirs, ours, 'xid') : undefined,
      );
    },
  },
  {
    row: 'the zxid in the header of an event',
    after: 'none',
    explain: (pair) =>
      mapMessages(pair, (theirs, ours) =>
        isEvent(theirs) && isEvent(ours) && theirs['zxid'] === -1 ? same(theirs, ours, 'zxid') : undefined,
      ),
  },
  {
    row: 'a request whose body cannot be read',
    after: 'write',
    explain(pair, { step, actor }) {
      if (step.kind !== 'bytes') return undefined;
      return mapMessages(pair, (theirs, ours, connection) =>
        connection === actor && theirs['err'] === 'MARSHALLING_ERROR' && ours['err'] === 'MARSHALLING_ERROR'
          ? same(theirs, ours, 'zxid')
          : undefined,
      );
    },
  },
];

const NOT_TOGETHER = 'what is sent together is what both answer in its order';
const NOT_AT_THREE = 'it is asked of one server of theirs alone, which is as ours';
const NOT_CUT_OFF = 'a history has neither local sessions nor a server that has lost the others';

/** Rows that no history can meet, and why. */
export const NOT_GENERATED: ReadonlyMap<string, string> = new Map([
  ['createContainer with the flag of another mode', 'a generated createContainer has its own'],
  ['createTTL, within a multi, with a flag without TTL', 'a generated createTTL has one of its own'],
  ['createTTL where `zookeeper.extendedTypesEnabled` is not set', 'theirs is started with it'],
  ['a multiRead of nothing but a write', 'a generated multiRead holds reads'],
  [
    'a multi, or requests under way at once, below a hard limit',
    'one operation is in flight, and a generated multi has one change where limits are',
  ],
  ['limits that cannot be read (`zookeeper_limits`)', 'generated limits can be read'],
  ['stats that cannot be read (`zookeeper_stats`), when what they count changes', 'their server would die of it'],
  ['a znode `zookeeper_limits` directly below `/zookeeper/quota`', 'their server would die of it'],
  ['stats after a restart', 'servers run through'],
  ['the scheme `x509` in an ACL', 'histories name ids of the other schemes'],
  ['an IPv6 address, or a network of IPv6, in an ACL of the scheme `ip`', 'histories name IPv4 addresses'],
  ['create or create2 with the flag CONTAINER (4)', 'the answers are the same; a container goes when it is empty, long after a history'],
  ['a setACL and, directly behind it on the same connection, a request that the new ACL forbids', NOT_TOGETHER],
  ['lists in setWatches and setWatches2 that are null', 'generated requests hold what their records can hold'],
  ['addauth while requests of the same connection are under way', NOT_TOGETHER],
  ['a digest password that is not UTF-8', 'proofs are text'],
  ['a digest user that is not UTF-8', 'proofs are text'],
  ['requests behind a closeSession on the same connection', NOT_TOGETHER],
  ['an ephemeral in a multi of a local session that may not be upgraded', NOT_CUT_OFF],
  ['a new session at a read-only server, without local sessions', NOT_CUT_OFF],
  ['a session that the read-only server does not know, with local sessions', NOT_CUT_OFF],
  ['the state that a read-only server shows', NOT_CUT_OFF],
  ['deleteContainer at a read-only server', NOT_CUT_OFF],
  [
    '`lastZxidSeen` or `relativeZxid` that is negative and neither −1 nor −2⁶³, or of an epoch above 2²¹ − 1',
    'our own codec, which sends them, has no such zxid',
  ],
  ['requests with an unknown opcode behind others under way', NOT_TOGETHER],
  ['a reconfig whose body cannot be read, at an ensemble', NOT_AT_THREE],
  ['the content and version of `/zookeeper/config`, at an ensemble', NOT_AT_THREE],
  ['a string that is null, but for the id of an ACL', 'generated requests hold what their records can hold'],
  ['a list of ACLs whose count is below −1', 'generated requests hold what their records can hold'],
  ['a string that is not UTF-8', 'generated requests hold what their records can hold'],
  ["a character above U+FFFF in an answer (the path of sync, an event of setWatches, an ACL's id)", 'what they answer cannot be read'],
]);

function typeOf(step: Step): number | undefined {
  if (step.kind === 'request') return step.request.type;
  return step.kind === 'bytes' ? step.type : undefined;
}

function flagsOf(step: Step): number[] {
  return operationsOf(step).flatMap((op) => ('flags' in op ? [op.flags] : []));
}

function endsSession(step: Step): boolean {
  return step.kind === 'expire' || requestsOf(step).at(-1)?.type === OpCode.closeSession;
}

function watcherTypeOf(step: Step): number | undefined {
  return step.kind === 'request' && 'watcherType' in step.request ? step.request.watcherType : undefined;
}

/** Theirs has found a watch where the client has none of that kind. */
function isTakenForOne(theirs: Message, ours: Message): boolean {
  return theirs['err'] === 'OK' && ours['err'] === 'NO_WATCHER';
}

function isAnswerOfWatches({ err }: Message): boolean {
  return err === 'OK' || err === 'NO_WATCHER';
}
