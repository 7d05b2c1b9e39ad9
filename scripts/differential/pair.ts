/** What the entries of `known-differences.ts` are made of: from both sides of a step to both sides without something. */
import { isEvent, type Message, type Observation, type Plain, type Seen, ZXID_FIELDS } from './observation.ts';

/** Both sides of a step. */
export interface Pair {
  readonly theirs: Observation;
  readonly ours: Observation;
}

export function byEvent(left: Message, right: Message): number {
  const [a, b] = [left, right].map((message) => (isEvent(message) ? `${message['path']} ${message['type']}` : '\uffff'));
  return (a as string) < (b as string) ? -1 : a === b ? 0 : 1;
}

/** Both messages with a field that says nothing any more. */
export function same(theirs: Message, ours: Message, field: string): readonly [Message, Message] | undefined {
  // Two servers' zxids differ by what stands in the same place, and may be one number by chance.
  if (theirs[field] === ours[field] && !ZXID_FIELDS.has(field)) return undefined;
  return [
    { ...theirs, [field]: 'listed' },
    { ...ours, [field]: 'listed' },
  ];
}

type Rewrite = (theirs: Message, ours: Message, connection: string) => readonly [Message, Message] | undefined;

/** The pair with some messages rewritten, those in the same place of the same connection together; undefined where none is. */
export function mapMessages({ theirs, ours }: Pair, rewrite: Rewrite): Pair | undefined {
  let changed = false;
  const [left, right] = [{ ...theirs }, { ...ours }];
  for (const [connection, seen] of Object.entries(theirs)) {
    const other = ours[connection];
    if (other === undefined) continue;
    const messages = [...seen.messages];
    const others = [...other.messages];
    for (let i = 0; i < Math.min(messages.length, others.length); i++) {
      const rewritten = rewrite(messages[i] as Message, others[i] as Message, connection);
      if (rewritten === undefined) continue;
      [messages[i], others[i]] = rewritten;
      changed = true;
    }
    left[connection] = { ...seen, messages };
    right[connection] = { ...other, messages: others };
  }
  return changed ? { theirs: left, ours: right } : undefined;
}

/** The same for the results of multis. */
export function mapResults(
  pair: Pair,
  rewrite: (theirs: Message, ours: Message) => readonly [Message, Message] | undefined,
): Pair | undefined {
  return mapMessages(pair, (theirs, ours) => {
    const [left, right] = [resultsOf(theirs), resultsOf(ours)];
    if (left === undefined || right === undefined || left.length !== right.length) return undefined;
    const pairs = left.map((result, i) => rewrite(result, right[i] as Message));
    if (pairs.every((both) => both === undefined)) return undefined;
    return [
      withResults(
        theirs,
        left.map((result, i) => pairs[i]?.[0] ?? result),
      ),
      withResults(
        ours,
        right.map((result, i) => pairs[i]?.[1] ?? result),
      ),
    ];
  });
}

/** Takes the last reply of the actor out of both sides where the two are as the row says. */
export function wholeReply(pair: Pair, actor: string, applies: (theirs: Message, ours: Message) => boolean): Pair | undefined {
  const theirs = repliesOf(pair.theirs, actor).at(-1);
  const ours = repliesOf(pair.ours, actor).at(-1);
  if (theirs === undefined || ours === undefined || !applies(theirs, ours)) return undefined;
  // Events of a write that only they have done go with its reply.
  return { theirs: withoutReplies(pair.theirs, actor), ours: withoutReplies(pair.ours, actor) };
}

/** Takes the actor's events about a path out of both sides; undefined where they are not different. */
export function withoutEventsOf(path: string, { theirs, ours }: Pair, actor: string): Pair | undefined {
  const isAbout = (message: Message): boolean => isEvent(message) && message['path'] === path;
  const typesOf = (observation: Observation): string =>
    (observation[actor]?.messages ?? [])
      .filter(isAbout)
      .map((message) => String(message['type']))
      .join();
  if (typesOf(theirs) === typesOf(ours)) return undefined;
  const without = (observation: Observation): Observation =>
    mapSeen(observation, (seen, connection) =>
      connection === actor ? { ...seen, messages: seen.messages.filter((message) => !isAbout(message)) } : seen,
    );
  return { theirs: without(theirs), ours: without(ours) };
}

/** Ours refuses by UNIMPLEMENTED and ends the connection, theirs answers something and goes on. */
export function refusedByEnd(pair: Pair, actor: string, applies: (theirs: Message) => boolean): Pair | undefined {
  const without = wholeReply(pair, actor, (theirs, ours) => applies(theirs) && ours['err'] === 'UNIMPLEMENTED');
  if (without === undefined || pair.ours[actor]?.ended !== true || pair.theirs[actor]?.ended === true) return undefined;
  const ours = mapSeen(without.ours, (seen, connection) => (connection === actor ? { ...seen, ended: false } : seen));
  return { theirs: withoutSilent(without.theirs), ours: withoutSilent(ours) };
}

export function mapSeen(observation: Observation, map: (seen: Seen, connection: string) => Seen): Observation {
  return Object.fromEntries(Object.entries(observation).map(([connection, seen]) => [connection, map(seen, connection)]));
}

/** Without the connections on which nothing is left. */
export function withoutSilent(observation: Observation): Observation {
  return Object.fromEntries(Object.entries(observation).filter(([, { messages, ended }]) => messages.length > 0 || ended));
}

export function repliesOf(observation: Observation, connection: string): readonly Message[] {
  return (observation[connection]?.messages ?? []).filter(({ kind }) => kind === 'reply' || kind === 'opaque');
}

export function withoutReplies(observation: Observation, actor: string): Observation {
  return mapSeen(observation, (seen, connection) =>
    connection === actor ? { ...seen, messages: seen.messages.filter(({ kind }) => kind !== 'reply' && kind !== 'opaque') } : seen,
  );
}

function responseOf(message: Message): { readonly [key: string]: Plain } | undefined {
  const response = message['response'];
  return typeof response === 'object' && response !== null && !Array.isArray(response)
    ? (response as { readonly [key: string]: Plain })
    : undefined;
}

function resultsOf(message: Message): readonly Message[] | undefined {
  const results = responseOf(message)?.['results'];
  return Array.isArray(results) ? (results as readonly Message[]) : undefined;
}

function withResults(message: Message, results: readonly Message[]): Message {
  return { ...message, response: { ...responseOf(message), results } };
}

/** Theirs with a list of its answer in the order of ours, where the two hold the same in another one. */
export function inOneOrder(theirs: Message, ours: Message, field: string): readonly [Message, Message] | undefined {
  const [left, right] = [responseOf(theirs)?.[field], responseOf(ours)?.[field]];
  if (!Array.isArray(left) || !Array.isArray(right) || sortedText(left) !== sortedText(right)) return undefined;
  if (JSON.stringify(left) === JSON.stringify(right)) return undefined;
  return [{ ...theirs, response: { ...responseOf(theirs), [field]: right } }, ours];
}

function sortedText(list: readonly Plain[]): string {
  return list
    .map((item) => JSON.stringify(item))
    .sort()
    .join();
}
