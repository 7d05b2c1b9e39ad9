/**
 * Who held what, and from when until when: judged from what the holders did, by the clock of the world.
 *
 * A holder holds from the moment in which it was given its hold until its signal has aborted, it has released, or its process has died. A process that stands still
 * does nothing, so it holds no longer than until it stood still, unless it goes on and acts before its signal has aborted.
 */
import type { Hold } from '@quorate/recipes';
import type { Actor, Stage } from '../stage/stage.js';
import { millis } from '../world/random-streams.js';

/** What is held. */
export type Held = Pick<Hold, 'signal' | 'fencingToken' | 'release'>;

/** Somebody who holds. */
export interface Holding {
  readonly who: string;
  readonly kind: string;
  readonly token: number;
  readonly fromMs: number;
  untilMs: number;
}

interface Entry {
  readonly holding: Holding;
  readonly actor: Actor;
  ended: boolean;
}

export interface KeepOptions {
  readonly kind?: string;
  readonly forMs: number;
  readonly release?: () => Promise<void>;
}

export class Holders {
  readonly #stage: Stage;
  readonly #all: Entry[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Holds for so long, or as long as it is safe, acting all the while; then releases. @param options.release how, where that is not the hold's affair. */
  async keep(actor: Actor, held: Held, options: KeepOptions): Promise<void> {
    const { kind = 'holder', forMs, release = () => held.release() } = options;
    const entry = this.#begin(actor, held, kind);
    actor.tempt();
    const endsAtMs = this.#stage.now() + forMs;
    while (!held.signal.aborted && this.#stage.now() < endsAtMs) {
      entry.holding.untilMs = this.#stage.now();
      await actor.pause(millis(actor.random, 0.5, 1 + Math.min(forMs, this.#stage.sessionTimeoutMs) / 4), held.signal);
    }
    if (!held.signal.aborted) entry.holding.untilMs = this.#stage.now();
    this.#stage.note(`${actor.id} releases ${entry.holding.token}`);
    entry.ended = true;
    await release();
  }

  #begin(actor: Actor, { signal, fencingToken }: Held, kind: string): Entry {
    const fromMs = this.#stage.now();
    const holding: Holding = { who: actor.id, kind, token: fencingToken, fromMs, untilMs: fromMs };
    const entry = { holding, actor, ended: false };
    this.#all.push(entry);
    this.#stage.note(`${actor.id} holds ${kind} ${fencingToken}`);
    if (signal.aborted) this.#stage.fail('SafeWhenGiven', `${actor.id} was given ${fencingToken} with a signal that has aborted already`);
    signal.addEventListener('abort', () => {
      if (entry.ended) return;
      entry.ended = true;
      this.#stage.seen('hold not safe any more');
      holding.untilMs = lastActive(entry.actor, holding.untilMs, this.#stage.now());
    });
    return entry;
  }

  /** All that there was, in the order in which it began, but for what was given to somebody who did not know yet that his session was ended: it was over before. */
  holdings(): readonly Holding[] {
    for (const entry of this.#all) {
      if (entry.ended) continue;
      entry.ended = true;
      entry.holding.untilMs = lastActive(entry.actor, entry.holding.untilMs, entry.actor.diedAtMs ?? this.#stage.now());
    }
    for (const { holding, actor } of this.#all) holding.untilMs = Math.min(holding.untilMs, actor.evictedAtMs ?? holding.untilMs);
    return this.#all.map(({ holding }) => holding).filter(({ fromMs, untilMs }) => fromMs <= untilMs);
  }

  /**
   * Fails where two hold at a time who must not, or one of them has a token that is less than that of who came before.
   *
   * @param excludes whether two kinds must not be held at a time; any two when absent.
   */
  judgeExclusion(excludes: (a: string, b: string) => boolean = () => true): void {
    const all = this.holdings();
    for (const [index, later] of all.entries()) {
      for (const earlier of all.slice(0, index)) {
        if (!excludes(earlier.kind, later.kind)) continue;
        if (later.fromMs < earlier.untilMs) this.#stage.fail('Exclusion', `${tell(later)} while ${tell(earlier)}`);
        if (later.token <= earlier.token) this.#stage.fail('FencingOrder', `${tell(later)} after ${tell(earlier)}`);
      }
    }
  }

  /** Fails where more than `limit` hold at a time. */
  judgeLimit(limit: number): void {
    const all = this.holdings();
    for (const one of all) {
      const together = all.filter(({ fromMs, untilMs }) => fromMs <= one.fromMs && one.fromMs < untilMs);
      if (together.length > limit) this.#stage.fail('Limit', `${together.length} at a time: ${together.map(tell).join('; ')}`);
    }
    if (new Set(all.map(({ token }) => token)).size < all.length) this.#stage.fail('FencingOrder', 'two have the same token');
  }
}

/** Until when the process has held at least: since then it has stood still, or it has run until now. */
function lastActive({ frozenAtMs }: Actor, actedAtMs: number, nowMs: number): number {
  return frozenAtMs !== undefined && frozenAtMs >= actedAtMs ? frozenAtMs : nowMs;
}

function tell({ who, kind, token, fromMs, untilMs }: Holding): string {
  return `${who} was ${kind} with token ${token} from ${fromMs.toFixed(3)} to ${untilMs.toFixed(3)} ms`;
}
