/**
 * What one group of consumers did with the messages of a topic, and what of that its page does not allow.
 *
 * It is what a receiver would be that takes no chances: it refuses who comes with the fencing token of an earlier owner, and what it refuses was not handled.
 */
import { type Actor, chance, Holders, millis, type Stage } from '@quorate/testkit';
import type { Message, Stored } from '../../../examples/src/messaging/broker.ts';
import type { Delivery } from '../../../examples/src/messaging/partition-worker.ts';
import type { Publications } from './publications.ts';

/** Where a message is. */
interface Place {
  readonly partition: number;
  readonly position: number;
}

/** A message at a place of a partition, as the group has met it. */
interface Course extends Place {
  readonly id: string;
  /** How often a consumer was given it by the broker. */
  inHand: number;
  /** How often the handler was called, and has failed by itself. */
  tries: number;
  failures: number;
  /** The greatest number of a try. */
  lastAttempt: number;
  /** By whom it was handled last. */
  handledBy: Tenure | undefined;
}

/** One owner of a partition, from the first message that it tries. */
interface Tenure {
  readonly actor: Actor;
  readonly partition: number;
  readonly token: number;
  /** Of the session when it began: it aborts where there was a moment in which nothing could be noted. */
  readonly lease: AbortSignal;
  /** Where the messages were that it has handled. */
  readonly positions: number[];
}

/** A message that was put away. */
export interface Letter {
  readonly id: string;
  /** How often it was tried, it says. */
  readonly tries: number;
}

/** Where the messages of a topic are, each as the broker has given it; the same for all groups. */
export class Places {
  readonly partitions: number;
  readonly #places = new WeakMap<Message, Place>();
  readonly #known: readonly Set<number>[];

  constructor(partitions: number) {
    this.partitions = partitions;
    this.#known = Array.from({ length: partitions }, () => new Set());
  }

  /** A message has been seen there. */
  add(message: Message, place: Place): void {
    this.#places.set(message, place);
    this.#known[place.partition]?.add(place.position);
  }

  of(message: Message): Place {
    return this.#places.get(message) as Place;
  }

  between(partition: number, low: number, high: number): readonly number[] {
    return [...(this.#known[partition] ?? [])].filter((position) => low < position && position < high);
  }
}

export interface GroupRecordOptions {
  readonly stage: Stage;
  readonly name: string;
  readonly publications: Publications;
  readonly places: Places;
}

export class GroupRecord {
  readonly name: string;
  /** When it was there for sure: what is published from then on is for it as well. */
  openedAt = Number.POSITIVE_INFINITY;
  readonly #stage: Stage;
  readonly #publications: Publications;
  readonly #places: Places;
  readonly #courses = new Map<string, Course>();
  readonly #byId = new Map<string, Course[]>();
  /** Per partition: the last owner that was seen, who had it when, and everybody by his token. */
  readonly #owners = new Map<number, Tenure>();
  readonly #holders: readonly Holders[];
  readonly #tenures = new Map<number, Tenure>();
  /** Courses in the order in which they were handled. */
  readonly #handled: Course[] = [];
  readonly #letters = new Map<string, Letter[]>();
  /** By name: how many messages the present consumer has handled. */
  readonly #counts = new Map<string, number>();

  constructor({ stage, name, publications, places }: GroupRecordOptions) {
    this.#stage = stage;
    this.name = name;
    this.#publications = publications;
    this.#places = places;
    this.#holders = Array.from({ length: places.partitions }, () => new Holders(stage));
  }

  /** A consumer of this name is in. */
  cameIn(name: string): void {
    this.openedAt = Math.min(this.openedAt, this.#publications.moment());
    this.#counts.set(name, 0);
  }

  countOf(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** The broker gives a message to a consumer. */
  took(partition: number, { message, position }: Stored): void {
    this.#places.add(message, { partition, position });
    this.#courseOf(message).inHand++;
  }

  /** The handler of a consumer: takes a while, fails as often as the message says, and heeds its signal. */
  async handle(actor: Actor, message: Message, delivery: Delivery): Promise<void> {
    const course = this.#courseOf(message);
    const tenure = this.#tenureOf(actor, course.partition, delivery);
    this.#begin(actor, course, tenure, delivery.attempt);
    if (chance(actor.random, 50)) actor.tempt();
    await actor.pause(millis(actor.random, 0, this.#stage.sessionTimeoutMs / 60), delivery.signal);
    delivery.signal.throwIfAborted();
    if (course.failures < Number(message.body)) {
      course.failures++;
      throw new Error('as it was told to');
    }
    this.#refuseLate(actor, course, tenure);
    this.#end(actor, course, tenure);
  }

  /** A message lies in dead letters. */
  buried(letter: Letter): void {
    const letters = this.#letters.get(letter.id) ?? [];
    letters.push(letter);
    this.#letters.set(letter.id, letters);
    if (!this.#byId.has(letter.id)) this.#fail('NothingInvented', `${letter.id} lies in dead letters, and nobody has been given it`);
  }

  /** What was published for it, and is neither handled nor dead. */
  get missing(): readonly string[] {
    const handled = new Set(this.#handled.map(({ id }) => id));
    return this.#publications.since(this.openedAt).filter((id) => !handled.has(id) && !this.#letters.has(id));
  }

  judge(): void {
    for (const holders of this.#holders) holders.judgeExclusion();
    this.#judgeOrder();
    for (const tenure of this.#tenures.values()) this.#judgeGaps(tenure);
    for (const letter of [...this.#letters.values()].flat()) this.#judgeLetter(letter);
  }

  #begin({ id }: Actor, course: Course, tenure: Tenure, attempt: number): void {
    this.#stage.note(`${id} tries ${course.id} for the ${attempt}th time, of ${course.partition} by ${tenure.token}`);
    if (!this.#publications.isKnown(course.id)) this.#fail('NothingInvented', `${id} was given ${course.id}, which nobody has published`);
    this.#refuseLate(tenure.actor, course, tenure);
    if (attempt > this.#publications.triesMost) this.#fail('TriesMax', `${id} tries ${course.id} for the ${attempt}th time`);
    // A try that was noted and not begun is one that an earlier owner was to make.
    if (attempt > course.tries + course.inHand)
      this.#fail('TriesCounted', `${id} tries ${course.id} for the ${attempt}th time after ${course.tries} tries`);
    if (attempt < course.lastAttempt)
      this.#fail('TriesCounted', `${id} tries ${course.id} for the ${attempt}th time after the ${course.lastAttempt}th`);
    course.tries++;
    course.lastAttempt = attempt;
    const before = course.handledBy;
    if (before !== undefined && before !== tenure && isUnharmed(before))
      this.#fail('HandledOnce', `${id} is given ${course.id}, which ${before.actor.id} has handled, and nothing has befallen that`);
  }

  /** @throws Error for who has lost the partition, whether he knows that or not. */
  #refuseLate({ id }: Actor, { partition }: Course, { token }: Tenure): void {
    const owner = this.#owners.get(partition);
    if (owner === undefined || token >= owner.token) return;
    this.#stage.seen('late consumer refused');
    throw new Error(`${id} comes with ${token}, and ${owner.token} was here`);
  }

  #end({ id, name }: Actor, course: Course, tenure: Tenure): void {
    this.#stage.note(`${id} has handled ${course.id}`);
    if (course.handledBy !== undefined) this.#stage.seen('handled again');
    course.handledBy = tenure;
    tenure.positions.push(course.position);
    this.#handled.push(course);
    this.#counts.set(name, this.countOf(name) + 1);
  }

  #tenureOf(actor: Actor, partition: number, { fencingToken, signal }: Delivery): Tenure {
    const known = this.#tenures.get(fencingToken);
    if (known !== undefined) return known;
    const tenure: Tenure = { actor, partition, token: fencingToken, lease: actor.client.leaseSignal, positions: [] };
    this.#tenures.set(fencingToken, tenure);
    if (fencingToken > (this.#owners.get(partition)?.token ?? 0)) this.#owners.set(partition, tenure);
    const held = { fencingToken: fencingToken as never, signal, release: () => Promise.resolve() };
    void this.#holders[partition]?.keep(actor, held, { kind: `${this.name} ${partition}`, forMs: Number.POSITIVE_INFINITY });
    return tenure;
  }

  #courseOf(message: Message): Course {
    const { partition, position } = this.#places.of(message);
    const place = `${partition}/${position}`;
    const known = this.#courses.get(place);
    if (known !== undefined) return known;
    const { id } = message;
    const course: Course = { id, partition, position, inHand: 0, tries: 0, failures: 0, lastAttempt: 0, handledBy: undefined };
    this.#courses.set(place, course);
    this.#byId.set(id, [...(this.#byId.get(id) ?? []), course]);
    return course;
  }

  /** Where a message was published after another one of its key was acknowledged, that was handled before it, or is dead. */
  #judgeOrder(): void {
    const handled = new Set<string>();
    for (const { id } of this.#handled) {
      if (handled.has(id)) continue;
      const skipped = this.#publications.before(id, this.openedAt).find((other) => !handled.has(other) && !this.#letters.has(other));
      if (skipped !== undefined) this.#fail('Order', `${id} was handled before ${skipped}, which was published before it`);
      handled.add(id);
    }
  }

  /** An owner handles all that comes, in its order. */
  #judgeGaps({ actor, partition, positions }: Tenure): void {
    for (const [index, position] of positions.entries()) {
      const last = positions[index - 1];
      if (last === undefined) continue;
      if (position <= last) this.#fail('Order', `${actor.id} has handled ${partition}/${position} after ${partition}/${last}`);
      for (const place of this.#places.between(partition, last, position)) {
        const id = this.#courses.get(`${partition}/${place}`)?.id;
        if (id === undefined || !this.#letters.has(id))
          this.#fail('Order', `${actor.id} has handled ${partition}/${last} and ${position}, and has left out ${id ?? place}`);
      }
    }
  }

  /** It was tried so often as it says, but for what the end of an owner leaves open. */
  #judgeLetter({ id, tries }: Letter): void {
    this.#stage.seen('dead letter');
    const courses = this.#byId.get(id) ?? [];
    if (tries < this.#publications.triesLeast) this.#fail('TriesMax', `${id} was put away after ${tries} tries`);
    const isRight = courses.some((course) => Math.abs(course.tries - tries) < Math.max(1, course.inHand));
    const told = courses.map((course) => `${course.tries} times by ${course.inHand} owners`).join('; ');
    if (!isRight) this.#fail('TriesCounted', `${id} was put away after ${tries} tries, and was tried ${told}`);
  }

  #fail(property: string, message: string): void {
    this.#stage.fail(property, `${this.name}: ${message}`);
  }
}

/** Whether nothing has befallen an owner that could have kept it from noting what it has handled. */
function isUnharmed({ actor, lease }: Tenure): boolean {
  const { diedAtMs, evictedAtMs, frozenAtMs } = actor;
  return diedAtMs === undefined && evictedAtMs === undefined && frozenAtMs === undefined && !lease.aborted;
}
