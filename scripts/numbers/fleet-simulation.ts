/**
 * Servers that fail and come back, drawn from a seed: once as numbers alone, once as an ensemble of `quorate` in virtual time, whose servers crash and restart.
 * Either is compared with the chain of `availability.ts`.
 */
import { type Random, SeededRandom, VirtualClock } from '@quorate/ports';
import { Ensemble } from 'quorate';
import { type Fleet, majority } from './availability.ts';
import { type Estimate, estimate } from './estimate.ts';
import { settled } from './virtual-time.ts';

/** A run is cut into so many parts: how much they differ says how far the mean may be from the truth. */
const PARTS = 40;

export interface FleetRun {
  readonly seed: number;
  /** In the unit of the fleet. */
  readonly duration: number;
}

/** The share of the time in which the ensemble serves. A leader is one of those that are up, and each failover takes the time that the fleet names. */
export function simulateFleet(fleet: Fleet, { seed, duration }: FleetRun): Estimate {
  const random = new SeededRandom(seed);
  const events = new FleetEvents(fleet, random);
  const least = majority(fleet.servers);
  const parts: number[] = [];
  let leader: number | undefined = 0;
  let servesFrom = 0;
  let now = 0;
  for (let part = 1; part <= PARTS; part++) {
    const begin = now;
    let served = 0;
    while (now < (duration * part) / PARTS) {
      const { at, server } = events.next();
      if (leader !== undefined) served += Math.max(0, at - Math.max(now, servesFrom));
      now = at;
      if (events.up.size < least) leader = undefined;
      else if (leader === undefined || (leader === server && !events.up.has(server))) {
        leader = [...events.up][0];
        servesFrom = now + fleet.failover;
      }
    }
    parts.push(served / (now - begin));
  }
  return estimate(parts);
}

/** The same, of an ensemble whose servers crash and restart; times are in milliseconds, and its failovers take what they take. */
export async function simulateEnsemble(fleet: Fleet, tickTimeMs: number, { seed, duration }: FleetRun): Promise<Estimate> {
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  const ensemble = await settled(clock, Ensemble.start({ servers: fleet.servers, tickTimeMs, clock, random }));
  const events = new FleetEvents(fleet, random);
  const started = clock.now();
  const parts: number[] = [];
  let next = events.next();
  for (let part = 1; part <= PARTS; part++) {
    const begin = clock.now();
    const end = started + (duration * part) / PARTS;
    let served = 0;
    while (clock.now() < end) {
      const before = clock.now();
      const serves = ensemble.leader !== undefined;
      const due = started + next.at;
      if (!clock.step(Math.min(end, due))) clock.advance(Math.min(end, due) - before);
      if (serves) served += clock.now() - before;
      if (clock.now() < due) continue;
      if (next.isUp) ensemble.restart(next.server + 1);
      else ensemble.crash(next.server + 1);
      next = events.next();
    }
    parts.push(served / (clock.now() - begin));
  }
  await settled(clock, ensemble.close());
  return estimate(parts);
}

interface FleetEvent {
  readonly at: number;
  readonly server: number;
  /** Whether the server has come back; it has failed otherwise. */
  readonly isUp: boolean;
}

/** Failures and repairs in their order. Exponential times have no memory, so each next event is drawn afresh from the rates of now. */
class FleetEvents {
  readonly up = new Set<number>();
  readonly #down: number[] = [];
  readonly #fleet: Fleet;
  readonly #random: Random;
  #now = 0;

  constructor(fleet: Fleet, random: Random) {
    this.#fleet = fleet;
    this.#random = random;
    for (let server = 0; server < fleet.servers; server++) this.up.add(server);
  }

  next(): FleetEvent {
    const { mtbf, mttr, servers, crews = servers } = this.#fleet;
    const failures = this.up.size / mtbf;
    const repairs = Math.min(this.#down.length, crews) / mttr;
    this.#now += -Math.log(1 - this.#fraction()) / (failures + repairs);
    const isUp = this.#fraction() < repairs / (failures + repairs);
    const server = isUp ? (this.#down.shift() as number) : this.#any();
    if (isUp) this.up.add(server);
    else {
      this.up.delete(server);
      this.#down.push(server);
    }
    return { at: this.#now, server, isUp };
  }

  /** Any server that is up. The set is in no order that means anything. */
  #any(): number {
    return [...this.up][Math.floor(this.#fraction() * this.up.size)] as number;
  }

  #fraction(): number {
    return this.#random.uint32() / 0x1_0000_0000;
  }
}
