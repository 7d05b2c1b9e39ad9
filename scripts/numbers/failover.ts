/** For how long an ensemble does nothing when its leader is gone, in ticks: measured on an ensemble in virtual time. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { Ensemble } from 'quorate';
import { settled } from './virtual-time.ts';

const TICK_TIME_MS = 1_000;
const GIVE_UP_MS = 60 * TICK_TIME_MS;

/** How a leader goes: its connections are closed, as when the process dies; or nothing more is heard of it, as when the machine does or the network. */
export type Departure = 'closed' | 'silent';

/** The longest silence that is borne, in ticks. */
export const SYNC_LIMIT = 10;

/** @returns ticks from the departure until another leader serves. */
export async function measureFailover(servers: number, departure: Departure, seed: number): Promise<number> {
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  const options = { servers, tickTimeMs: TICK_TIME_MS, syncLimit: SYNC_LIMIT, clock, random };
  const ensemble = await settled(clock, Ensemble.start(options));
  for (const { sid } of ensemble.servers) await settled(clock, ensemble.ready({ server: sid }));
  // Anywhere between two heartbeats.
  clock.advance(10 * TICK_TIME_MS + (random.uint32() % TICK_TIME_MS));
  const gone = ensemble.leader as number;
  const departed = clock.now();
  if (departure === 'closed') ensemble.crash(gone);
  else ensemble.partition(ensemble.servers.flatMap(({ sid }) => (sid === gone ? [] : [sid])));
  const serves = () => ensemble.servers.some(({ sid, state, serving }) => sid !== gone && state === 'LEADING' && serving);
  while (!serves() && clock.now() - departed < GIVE_UP_MS) clock.step();
  const ticks = (clock.now() - departed) / TICK_TIME_MS;
  await settled(clock, ensemble.close());
  return ticks;
}
