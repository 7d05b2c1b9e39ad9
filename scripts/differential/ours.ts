/** Quorate's side: an ensemble with what both sides are started with, over TCP or within the process. */
import { listen } from '@quorate/node';
import { Ensemble, type EnsembleOptions, SeededRandom, type Sid, type VirtualClock } from 'quorate';
import { CONTAINER_CHECK_INTERVAL_MS, SESSION_TIMEOUT_MAX_MS, SESSION_TIMEOUT_MIN_MS, SUPER_DIGEST, TICK_TIME_MS } from './settings.ts';
import { type Accept, inProcessWay, tcpWay, type Way } from './way.ts';

/** One side's servers, while they run. */
export interface Started {
  /** The leader's first. */
  readonly ways: readonly Way[];
  close(): Promise<void>;
}

const OPTIONS: EnsembleOptions = {
  ...{ tickTimeMs: TICK_TIME_MS, superDigest: SUPER_DIGEST, enforceQuota: true },
  containerCheckIntervalMs: CONTAINER_CHECK_INTERVAL_MS,
  ...{ minSessionTimeoutMs: SESSION_TIMEOUT_MIN_MS, maxSessionTimeoutMs: SESSION_TIMEOUT_MAX_MS },
};

/** Servers behind ports of 127.0.0.1, one for each. */
export async function startOurs(servers: number): Promise<Started> {
  const ensemble = await Ensemble.start({ ...OPTIONS, servers });
  for (const { sid } of ensemble.servers) await ensemble.ready({ server: sid });
  const listeners = await Promise.all(
    leaderFirst(ensemble).map((sid) => listen({ accept: (link) => ensemble.accept(link, sid) }, { port: 0 })),
  );
  return {
    ways: listeners.map(({ port }) => tcpWay(port)),
    async close() {
      for (const listener of listeners) await listener.close();
      await ensemble.close();
    },
  };
}

/** Servers within the process under a virtual clock: every run is the same. What they send goes through `tamper`. */
export async function startVirtual(servers: number, clock: VirtualClock, tamper = (accept: Accept): Accept => accept): Promise<Started> {
  const ensemble = await settled(clock, Ensemble.start({ ...OPTIONS, servers, clock, random: new SeededRandom(servers) }));
  for (const { sid } of ensemble.servers) await settled(clock, ensemble.ready({ server: sid }));
  return {
    ways: leaderFirst(ensemble).map((sid) =>
      inProcessWay(
        tamper((link) => ensemble.accept(link, sid)),
        clock,
      ),
    ),
    close: () => ensemble.close(),
  };
}

function leaderFirst(ensemble: Ensemble): readonly Sid[] {
  const sids = ensemble.servers.map(({ sid }) => sid);
  return sids.sort((left, right) => Number(right === ensemble.leader) - Number(left === ensemble.leader));
}

/** Moves virtual time until a promise is settled. Promises go on between two steps. */
async function settled<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const end = (): void => {
    isSettled = true;
  };
  promise.then(end, end);
  while (!isSettled) {
    // A step may wake a promise, and that another one.
    for (let turn = 0; turn < 10 && !isSettled; turn++) await Promise.resolve();
    if (!isSettled && !clock.step()) throw new Error('nothing is left that could settle the promise');
  }
  return promise;
}
