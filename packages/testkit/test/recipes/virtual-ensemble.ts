/** One server in the process, in virtual time, for tests of recipes that need no weather. */
import { type Client, Ensemble, SeededRandom, VirtualClock } from 'quorate';
import { afterEach, beforeEach } from 'vitest';

/** Of the present test. */
export interface Place {
  clock: VirtualClock;
  ensemble: Ensemble;
  client: Client;
  /** Lets time pass until a promise has settled: the clock moves on whenever nobody has anything to do. */
  settled<T>(promise: Promise<T>): Promise<T>;
}

/** A new ensemble for each test of the file. */
export function virtualEnsemble(): Place {
  const place = {
    async settled<T>(promise: Promise<T>): Promise<T> {
      let done = false;
      const end = (): void => {
        done = true;
      };
      promise.then(end, end);
      while (!done) {
        await new Promise((resolve) => setImmediate(resolve));
        if (!done) place.clock.step();
      }
      return promise;
    },
  } as Place;
  beforeEach(async () => {
    place.clock = new VirtualClock();
    place.ensemble = await place.settled(Ensemble.start({ servers: 1, clock: place.clock, random: new SeededRandom(1) }));
    place.client = await place.settled(place.ensemble.connect());
  });
  afterEach(() => place.ensemble.close());
  return place;
}
