/** Which instance of a service gets the next call. */
import { type Random, randomBelow } from '@quorate/ports';
import { memberFor } from './consistent-hash.js';

/** What a balancer knows of an instance. */
export interface Candidate {
  readonly id: string;
  /** Calls of this client to it that are under way. */
  readonly underWay: number;
}

/** What a balancer chooses from. */
export interface Choice<Instance extends Candidate> {
  /** At least one, by ascending id. */
  readonly candidates: readonly Instance[];
  /** What the call is about, where the caller has said so. */
  readonly key: string | undefined;
  readonly random: Random;
}

/** Chooses one of the candidates. One that remembers anything serves one view of one service. */
export type Balancer = <Instance extends Candidate>(choice: Choice<Instance>) => Instance;

/** Each in turn, by id. It goes on after the last one chosen, so instances that come and go skip nobody. */
export function roundRobin(): Balancer {
  let last: string | undefined;
  return ({ candidates }) => {
    const previous = last;
    const next = (previous === undefined ? undefined : candidates.find(({ id }) => id > previous)) ?? first(candidates);
    last = next.id;
    return next;
  };
}

/** Any, evenly. */
export function anyOfThem(): Balancer {
  return ({ candidates, random }) => oneOf(candidates, random);
}

/** The one with the fewest calls of this client under way; any of them where several have as few. Other clients' calls are not known. */
export function leastLoaded(): Balancer {
  return ({ candidates, random }) => {
    const fewest = candidates.reduce((least, { underWay }) => Math.min(least, underWay), Number.POSITIVE_INFINITY);
    const idle = candidates.filter(({ underWay }) => underWay === fewest);
    return oneOf(idle, random);
  };
}

/**
 * The same one for the same key, in every client that sees the same instances; when they change few keys move. A call without a key goes to any.
 *
 * @example
 * const view = await discovery.view('cache', { balancer: byKey() });
 * await view.use((instance) => fetchFrom(instance), { key: 'user-17' });
 */
export function byKey(): Balancer {
  return ({ candidates, key, random }) => {
    if (key === undefined) return oneOf(candidates, random);
    const id = memberFor(
      key,
      candidates.map((candidate) => candidate.id),
    );
    return candidates.find((candidate) => candidate.id === id) ?? first(candidates);
  };
}

function oneOf<Instance>(candidates: readonly Instance[], random: Random): Instance {
  return candidates[randomBelow(random, candidates.length)] as Instance;
}

function first<Instance>(candidates: readonly Instance[]): Instance {
  return candidates[0] as Instance;
}
