/** The lease of a session against an ensemble: it is over before the ephemerals go, whatever happens to the servers. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { expect, test } from 'vitest';
import { Client, type ConnectionHandler, CreateMode, Ensemble, type EnsembleOptions, type Sid } from '../src/index.js';
import { settle } from './virtual-time.js';

const TIMEOUT_MS = 1_000;

async function start(options: EnsembleOptions = {}) {
  const clock = new VirtualClock();
  const until = <T>(promise: Promise<T>): Promise<T> => settle(clock, promise, 60_000);
  const ensemble = await until(Ensemble.start({ clock, random: new SeededRandom(1), tickTimeMs: 100, ...options }));
  for (const { sid } of ensemble.servers) await until(ensemble.ready({ server: sid }));
  return { clock, until, ensemble };
}

const follower = (ensemble: Ensemble): Sid => ensemble.servers.find(({ sid }) => sid !== ensemble.leader)?.sid as Sid;

test('the client of a server that is cut off, which goes on to answer it', async () => {
  const { clock, until, ensemble } = await start({ syncLimit: 50 });
  const alone = follower(ensemble);
  const all = ensemble.connector();
  const connector = { servers: 1, connect: (_: number, handler: ConnectionHandler) => all.connect(alone - 1, handler) };
  const holder = await until(Client.connect({ connector, clock, random: new SeededRandom(2), sessionTimeoutMs: TIMEOUT_MS }));
  await until(holder.create('/held', '', { mode: CreateMode.EPHEMERAL }));
  const others = ensemble.servers.map(({ sid }) => sid).filter((sid) => sid !== alone);
  const witness = await until(ensemble.connect({ server: others[0] as Sid }));

  const { leaseSignal } = holder;
  const told: string[] = [];
  leaseSignal.addEventListener('abort', () => told.push(`over ${(leaseSignal.reason as { code: string }).code} ${holder.state}`));
  const gone = new Promise<void>((resolve) => {
    void witness.exists('/held', {
      watch: () => {
        told.push('gone');
        resolve();
      },
    });
  });
  ensemble.partition([alone], others);
  const since = clock.now();
  await until(gone);
  expect(told).toEqual(['over CONNECTION_LOSS CONNECTED', 'gone']);
  expect(clock.now() - since).toBeLessThan(2 * TIMEOUT_MS);
  await until(ensemble.close());
});

test('stays good for a session that lives, over a change of leader', async () => {
  const { clock, until, ensemble } = await start();
  const holder = await until(ensemble.connect({ server: follower(ensemble), sessionTimeoutMs: TIMEOUT_MS }));
  const { leaseSignal } = holder;
  const rest = (ms: number) => until(new Promise<void>((resolve) => void clock.setTimer(ms, resolve)));
  await rest(5 * TIMEOUT_MS);
  await until(ensemble.handOver());
  await rest(5 * TIMEOUT_MS);
  expect([leaseSignal.aborted, holder.leaseSignal === leaseSignal]).toEqual([false, true]);
  await until(ensemble.close());
});
