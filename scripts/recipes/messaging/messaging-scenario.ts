/**
 * Messaging on the stage: producers publish, groups of consumers that come, go, vote, hang and die work on a topic whose settings change, and some messages fail a few times or always.
 *
 * When all is well again, everything that was acknowledged is handled by each group or lies in dead letters, after as many tries as the settings say; in the order of each key; by one owner of a partition at a
 * time; the heartbeats say who has what; and nothing is left of those who have gone.
 */
import { isZooKeeperError, joinPath } from '@quorate/protocol';
import { isRecipeError, persevere } from '@quorate/recipes';
import { type Actor, between, chance, millis, pick, type Scenario, type Stage } from '@quorate/testkit';
import type { Client } from 'quorate';
import { NotAdmittedError, type Vote } from '../../../examples/src/messaging/admission.ts';
import type { Message } from '../../../examples/src/messaging/broker.ts';
import { Consumer, consumersOf, type Heartbeat } from '../../../examples/src/messaging/consumer.ts';
import { EmbeddedBroker } from '../../../examples/src/messaging/embedded-broker.ts';
import { Producer, producersOf } from '../../../examples/src/messaging/producer.ts';
import { deadLettersOf, pathOf, Topics } from '../../../examples/src/messaging/topics.ts';
import { GroupRecord, Places } from './group-record.ts';
import { Publications } from './publications.ts';
import { WatchedBroker } from './watched-broker.ts';

const TOPIC = 'orders';
const PARTITIONS = 3;
const KEYS = 5;
const TRIES_MAX = 3;
const RETRY_MS = 10;
/** What never succeeds is told to fail so often. */
const ALWAYS = 1_000;
const PRODUCERS = ['north', 'south'];
/** The last group comes when messages have been published already. */
const GROUPS = { billing: ['ada', 'ben', 'cleo'], shipping: ['dan'], late: ['eve'] };
/** How long it may take until everything is handled when nothing goes wrong any more, in milliseconds. */
const SETTLED_MS = 20_000;
const HEARTBEAT_MS = 1_000;

const brokerOf = (client: Client): EmbeddedBroker => new EmbeddedBroker(client, { root: '/messages' });

export const messagingScenario: Scenario = {
  name: 'messaging',
  async play(stage) {
    const play = new Play(stage);
    const settings = { partitions: PARTITIONS, triesMax: TRIES_MAX, retryMs: RETRY_MS };
    await stage.cast('opener', ({ client }) => topicsOf(client).open(TOPIC, settings));
    const consumers = [...play.groups.values()].flatMap((group) =>
      GROUPS[group.name as keyof typeof GROUPS].map((name) => stage.cast(name, (actor) => consume(play, actor, group))),
    );
    await Promise.all([
      ...PRODUCERS.map((name) => stage.cast(name, (actor) => produce(play, actor))),
      ...consumers,
      stage.cast('operator', (actor) => alter(play, actor)),
      stage.cast('overseer', (actor) => oversee(play, actor), { unharmed: true }),
    ]);
    await stage.cast('judge', (actor) => judgeNothingLeft(play, actor), { unharmed: true });
  },
};

/** What the parts know of each other. */
class Play {
  readonly stage: Stage;
  readonly publications = new Publications(TRIES_MAX);
  readonly groups: ReadonlyMap<string, GroupRecord>;
  /** `voter candidate choice`, as said. */
  readonly votes = new Set<string>();
  /** Nothing more is published. */
  allSaid = false;
  /** Everything was judged. */
  closed = false;
  /** The topic has been paused for so long that everybody knows. */
  rests = false;

  constructor(stage: Stage) {
    this.stage = stage;
    const places = new Places(PARTITIONS);
    const { publications } = this;
    this.groups = new Map(Object.keys(GROUPS).map((name) => [name, new GroupRecord({ stage, name, publications, places })]));
  }

  /** Part of a session timeout. */
  some(random: Actor['random'], most: number): number {
    return millis(random, 0, most * this.stage.sessionTimeoutMs);
  }

  get missing(): readonly string[] {
    return [...this.groups.values()].flatMap(({ name, missing }) => missing.map((id) => `${id} of ${name}`));
  }
}

function topicsOf(client: Client): Topics {
  return new Topics(client, brokerOf(client));
}

// Producers

async function produce(play: Play, { client, id, name, random, pause, over }: Actor): Promise<void> {
  const producer = await Producer.join({ client, broker: brokerOf(client), topic: TOPIC, name });
  for (let number = 0; !play.allSaid; number++) {
    const message: Message = { id: `${id}:${number}`, key: `k${between(random, 0, KEYS - 1)}`, body: String(failuresOf(random)) };
    await play.publications.publish(message, () => producer.publish(message));
    await pause(play.some(random, over.aborted ? 0.5 : 0.15));
  }
  while (!play.closed) await pause(50);
  await producer[Symbol.asyncDispose]();
}

/** How often the handling of a message fails. */
function failuresOf(random: Actor['random']): number {
  if (chance(random, 30)) return ALWAYS;
  return chance(random, 100) ? between(random, 1, 2) : 0;
}

// Consumers

async function consume(play: Play, actor: Actor, group: GroupRecord): Promise<void> {
  const { random, over, pause } = actor;
  if (group.name === 'late' && group.openedAt === Number.POSITIVE_INFINITY) await pause(play.some(random, 2), over);
  while (!over.aborted) {
    const consumer = await comeIn(play, actor, group);
    if (consumer !== undefined) await stay(actor, consumer, pause(play.some(random, 4), over));
    await pause(play.some(random, 0.5), over);
  }
  while (!play.closed) {
    const consumer = await comeIn(play, actor, group);
    if (consumer !== undefined) await stay(actor, consumer, untilClosed(play, actor));
  }
}

/** Asks to come in; undefined where the others do not want that. */
async function comeIn(play: Play, actor: Actor, group: GroupRecord): Promise<Consumer | undefined> {
  const { client, name, random, over } = actor;
  const decide = (candidate: string): Vote => {
    const choice = !over.aborted && chance(random, 150) ? 'no' : 'yes';
    play.votes.add(`${name} ${candidate} ${choice}`);
    return choice;
  };
  try {
    const { consumer, ballot } = await Consumer.join({
      ...{ client, topic: TOPIC, group: group.name, name, decide },
      broker: new WatchedBroker(brokerOf(client), (partition, stored) => group.took(partition, stored)),
      handler: (message, delivery) => {
        if (play.rests) play.stage.fail('Paused', `${actor.id} is given ${message.id} while the topic is paused`);
        return group.handle(actor, message, delivery);
      },
      voteMs: play.stage.sessionTimeoutMs / 2,
    });
    group.cameIn(name);
    judgeVotes(play, name, ballot.votes, true);
    return consumer;
  } catch (error) {
    if (!(error instanceof NotAdmittedError)) throw error;
    judgeVotes(play, name, error.votes, false);
    play.stage.seen('kept out');
    return undefined;
  }
}

function judgeVotes({ stage, votes }: Play, candidate: string, counted: ReadonlyMap<string, string>, isIn: boolean): void {
  for (const [voter, choice] of counted)
    if (!votes.has(`${voter} ${candidate} ${choice}`)) stage.fail('VotesCount', `${voter} has not said ${choice} to ${candidate}`);
  const yes = [...counted.values()].filter((choice) => choice === 'yes').length;
  if (isIn !== (counted.size === 0 || yes * 2 > counted.size))
    stage.fail('Majority', `${candidate} is ${isIn ? 'in' : 'out'} by ${yes} of ${counted.size} votes`);
}

/** Works until the time has come, and leaves. */
async function stay(actor: Actor, consumer: Consumer, end: Promise<void>): Promise<void> {
  try {
    await Promise.race([consumer.ended, end]);
    await consumer[Symbol.asyncDispose]();
    await consumer.ended;
  } catch (error) {
    // Whose session was ended from outside finds others at his work before he hears of it.
    if (isRecipeError(error) && actor.evictedAtMs !== undefined) await persevere(actor.client, () => actor.client.sync());
    throw error;
  }
}

async function untilClosed(play: Play, { pause }: Actor): Promise<void> {
  while (!play.closed) await pause(50);
}

// Settings

async function alter(play: Play, { client, random, over, pause }: Actor): Promise<void> {
  const topics = topicsOf(client);
  // An earlier life may have paused it.
  await topics.alter(TOPIC, { paused: false });
  while (!over.aborted) {
    await pause(play.some(random, 1), over);
    const triesMax = pick(random, [2, 3, 4]);
    play.publications.triesMaxMayBe(triesMax);
    await topics.alter(TOPIC, { triesMax });
    if (chance(random, 500)) continue;
    await topics.alter(TOPIC, { paused: true });
    await pause(play.some(random, 0.5), over);
    await topics.alter(TOPIC, { paused: false, retryMs: between(random, 0, 20) });
  }
}

// The end

async function oversee(play: Play, { client, over, pause }: Actor): Promise<void> {
  const { stage } = play;
  const topics = topicsOf(client);
  while (!over.aborted) await pause(stage.sessionTimeoutMs, over);
  const stop = new AbortController();
  const reading = readDeadLetters(play, client, stop.signal);
  reading.catch(() => {});
  await using producers = await producersOf(client, TOPIC).view();
  // The sessions of those who have died end.
  await pause(stage.sessionTimeoutMs * 2.5);
  const present = producers.members.map(({ id }) => id).join();
  if (present !== PRODUCERS.join()) stage.fail('Producers', `"${present}" are there as producers`);
  await judgeRest(play, topics, pause);
  play.allSaid = true;
  for (let waited = 0; play.missing.length > 0; waited += 50) {
    if (waited > SETTLED_MS)
      stage.fail('NothingLost', `not handled and not dead ${SETTLED_MS} ms after all was well: ${play.missing.join(', ')}`);
    await pause(50);
  }
  await pause(HEARTBEAT_MS * 1.5);
  for (const group of play.groups.values()) await judgeHeartbeats(play, client, group);
  stop.abort();
  await reading;
  for (const group of play.groups.values()) group.judge();
  play.closed = true;
}

async function readDeadLetters(play: Play, client: Client, signal: AbortSignal): Promise<void> {
  for await (const { message } of brokerOf(client).read({ topic: deadLettersOf(TOPIC), index: 0 }, 0, { signal })) {
    const { group, reason } = JSON.parse(message.body) as { group: string; reason: string };
    const id = message.id.slice(group.length + 1);
    play.stage.note(`${id} is dead for ${group}: ${reason}`);
    play.groups.get(group)?.buried({ id, tries: Number(/^tried (\d+) times/.exec(reason)?.[1]) });
  }
}

/** Nobody works while the topic is paused. */
async function judgeRest(play: Play, topics: Topics, pause: Actor['pause']): Promise<void> {
  await topics.alter(TOPIC, { paused: true });
  await pause(play.stage.sessionTimeoutMs / 2);
  play.rests = true;
  await pause(play.stage.sessionTimeoutMs / 2);
  play.rests = false;
  await topics.alter(TOPIC, { paused: false });
}

/** Whoever looks is told that each partition is in the hands of one, and how much each has handled. */
async function judgeHeartbeats({ stage }: Play, client: Client, group: GroupRecord): Promise<void> {
  await using view = await consumersOf(client, joinPath(pathOf(TOPIC), `groups/${group.name}`)).view();
  const said = view.members.map(({ id, data }) => ({ id, ...(JSON.parse(new TextDecoder().decode(data)) as Heartbeat) }));
  const told = said.map(({ id, partitions, handled }) => `${id} has ${partitions.join(' ')} and has handled ${handled}`).join('; ');
  stage.note(`in the end, of ${group.name}: ${told}`);
  const all = said.flatMap(({ partitions }) => partitions).sort((a, b) => a - b);
  if (all.join() !== Array.from({ length: PARTITIONS }, (_, index) => index).join()) stage.fail('Heartbeats', `of ${group.name}: ${told}`);
  for (const { id, handled } of said)
    if (handled !== group.countOf(id)) stage.fail('Heartbeats', `${told}, and ${id} has handled ${group.countOf(id)}`);
}

/** Of those who have gone, and of their votings. */
async function judgeNothingLeft({ stage }: Play, { client, pause }: Actor): Promise<void> {
  await pause(stage.sessionTimeoutMs * 1.5);
  await client.sync();
  const groups = Object.keys(GROUPS).flatMap((group) => ['consumers', 'votings'].map((part) => `groups/${group}/${part}`));
  for (const place of ['producers', ...groups]) {
    const left = await childrenOf(client, joinPath(pathOf(TOPIC), place));
    if (left.length > 0) stage.fail('NothingLeft', `${place} still has ${left.join(', ')}`);
  }
}

async function childrenOf(client: Client, path: string): Promise<readonly string[]> {
  try {
    return (await client.getChildren(path)).children;
  } catch (error) {
    if (isZooKeeperError(error, 'NO_NODE')) return [];
    throw error;
  }
}
