/** A child of `flood.ts`: all who flood the server. It is told what to do, one thing after the other, and answers what came of it as plain data. */
import { setTimeout as sleep } from 'node:timers/promises';
import { addressesFrom } from './addresses.ts';
import { Claimer, Deaf, Hasty, type Kind, Loris, Mute, type Stranger, type Way } from './strangers.ts';

export type Order =
  /** Connects so many of each kind, from many addresses, and leaves them there. */
  | { readonly kind: 'gather'; readonly port: number; readonly counts: Readonly<Partial<Record<Kind, number>>> }
  /** Connects so many mute ones, all from one address or from many, and tells how many were turned away within `withinMs`. */
  | { readonly kind: 'push'; readonly port: number; readonly count: number; readonly sameAddress: boolean; readonly withinMs: number }
  /** Waits until all of these kinds are disconnected, no longer than that. */
  | { readonly kind: 'await'; readonly kinds: readonly Kind[]; readonly withinMs: number }
  /** Ends all that are left. */
  | { readonly kind: 'disperse' };

/** What became of one kind. */
export interface Fate {
  readonly kind: Kind;
  readonly count: number;
  readonly open: number;
  /** Of those that were disconnected. */
  readonly longestMs: number;
  /** Of those with a session that were disconnected. */
  readonly kept: number;
  readonly answers: number;
}

export interface Answers {
  readonly gather: { readonly tookMs: number };
  readonly push: { readonly turnedAway: number };
  readonly await: { readonly fates: readonly Fate[] };
  readonly disperse: Record<never, never>;
}

/** How many are connecting at a time. */
const CONNECTING = 200;
const LOOK_MS = 50;

const makers: Readonly<Record<Kind, new (way: Way) => Stranger>> = { mute: Mute, loris: Loris, claimer: Claimer, deaf: Deaf, hasty: Hasty };

class Crowd {
  readonly #strangers: Stranger[] = [];
  readonly #addresses = addressesFrom(1);

  async gather({ port, counts }: Order & { readonly kind: 'gather' }): Promise<Answers['gather']> {
    const startedAt = performance.now();
    const kinds = Object.entries(counts).flatMap(([kind, count]) => Array.from({ length: count }, () => kind as Kind));
    await this.#connect(kinds.map((kind) => () => new makers[kind]({ port, from: this.#addresses.next().value })));
    return { tookMs: performance.now() - startedAt };
  }

  async push({ port, count, sameAddress, withinMs }: Order & { readonly kind: 'push' }): Promise<Answers['push']> {
    const addresses = addressesFrom(200);
    const first = addresses.next().value;
    const pushed = await this.#connect(
      Array.from({ length: count }, () => () => new Mute({ port, from: sameAddress ? first : addresses.next().value })),
    );
    await sleep(withinMs);
    return { turnedAway: pushed.filter(({ livedMs }) => livedMs !== undefined && livedMs <= withinMs).length };
  }

  async await({ kinds, withinMs }: Order & { readonly kind: 'await' }): Promise<Answers['await']> {
    const giveUpAt = performance.now() + withinMs;
    const waitedFor = this.#strangers.filter(({ kind }) => kinds.includes(kind));
    while (waitedFor.some(({ livedMs }) => livedMs === undefined) && performance.now() < giveUpAt) await sleep(LOOK_MS);
    return { fates: await Promise.all(kinds.map((kind) => this.#fateOf(kind))) };
  }

  disperse(): Answers['disperse'] {
    for (const stranger of this.#strangers.splice(0)) stranger.end();
    return {};
  }

  async #fateOf(kind: Kind): Promise<Fate> {
    const all = this.#strangers.filter((stranger) => stranger.kind === kind);
    const closed = all.filter(({ livedMs }) => livedMs !== undefined);
    const kept = await Promise.all(closed.map((stranger) => stranger instanceof Deaf && stranger.kept));
    return {
      kind,
      count: all.length,
      open: all.length - closed.length,
      longestMs: Math.max(0, ...closed.map(({ livedMs = 0 }) => livedMs)),
      kept: kept.filter(Boolean).length,
      answers: all.reduce((sum, stranger) => sum + (stranger instanceof Hasty ? stranger.answers : 0), 0),
    };
  }

  async #connect(makes: readonly (() => Stranger)[]): Promise<readonly Stranger[]> {
    const made: Stranger[] = [];
    for (let at = 0; at < makes.length; at += CONNECTING) {
      const some = makes.slice(at, at + CONNECTING).map((make) => make());
      made.push(...some);
      await Promise.all(some.map(({ tried }) => tried));
    }
    this.#strangers.push(...made);
    return made;
  }
}

const crowd = new Crowd();

async function obey(order: Order): Promise<unknown> {
  switch (order.kind) {
    case 'gather':
      return crowd.gather(order);
    case 'push':
      return crowd.push(order);
    case 'await':
      return crowd.await(order);
    case 'disperse':
      return crowd.disperse();
  }
}

process.on('message', (order: Order) => void obey(order).then((answer) => process.send?.(answer)));
process.on('disconnect', () => process.exit());
