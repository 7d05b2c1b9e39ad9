/**
 * Distributed event processing: sensors put readings into a queue, workers add them up, and each reading counts once, although workers and servers fail on the way.
 *
 * A reading is delivered at least once. It counts once because the new total is written in the same txn that takes it off the queue. Everything runs in this process; with `connect` of `@quorate/node` in
 * place of `ensemble.connect` each worker is a process of its own.
 */
import { AckQueue, type Delivery, DoubleBarrier, persevere } from '@quorate/recipes';
import { type Client, Ensemble, isRecipeError, isZooKeeperError } from 'quorate';

const SENSORS = ['north', 'south', 'east', 'west'];
const READINGS_PER_SENSOR = 75;
const WORKERS = 4;

interface Reading {
  readonly sensor: string;
  readonly value: number;
}

interface Total {
  readonly readings: number;
  readonly sum: number;
}

const ensemble = await Ensemble.start({ servers: 3 });
const overseer = await ensemble.connect();
await overseer.create('/totals');
const nothing: Total = { readings: 0, sum: 0 };
for (const sensor of SENSORS) await overseer.create(`/totals/${sensor}`, JSON.stringify(nothing));

/** Puts the readings of a sensor into the queue. */
async function measure(sensor: string): Promise<void> {
  const client = await ensemble.connect();
  const queue = new AckQueue(client, '/readings');
  for (let value = 1; value <= READINGS_PER_SENSOR; value++) await queue.put(JSON.stringify({ sensor, value } satisfies Reading));
  await client.close();
}

/** Takes a reading off the queue and adds it to the total of its sensor, both or neither. */
async function count(client: Client, delivery: Delivery): Promise<void> {
  const { sensor, value } = JSON.parse(new TextDecoder().decode(delivery.data)) as Reading;
  const path = `/totals/${sensor}`;
  for (;;) {
    const { data, stat } = await persevere(client, () => client.getData(path));
    const { readings, sum } = JSON.parse(new TextDecoder().decode(data)) as Total;
    const total = JSON.stringify({ readings: readings + 1, sum: sum + value } satisfies Total);
    try {
      return await delivery.ack([{ op: 'setData', path, data: total, version: stat.version }]);
    } catch (error) {
      // Another worker has added to the same total in between: the reading is still this one's, and the sum is done again.
      if (!isZooKeeperError(error, 'BAD_VERSION')) throw error;
    }
  }
}

let deliveries = 0;
let sessionsLost = 0;
const allCounted = new AbortController();
const workers = new Map<string, Client>();

/** A worker, over all its sessions: one that is lost is followed by another, and what it held is delivered to somebody else. */
async function work(name: string): Promise<void> {
  while (!allCounted.signal.aborted) {
    const client = await ensemble.connect({ sessionTimeoutMs: 1_000 });
    workers.set(name, client);
    try {
      await workOn(client);
      await client.close();
    } catch (error) {
      if (!isZooKeeperError(error, 'SESSION_EXPIRED')) throw error;
      sessionsLost++;
    }
  }
}

async function workOn(client: Client): Promise<void> {
  const queue = new AckQueue(client, '/readings');
  while (!allCounted.signal.aborted) {
    try {
      await using delivery = await queue.take({ signal: allCounted.signal });
      deliveries++;
      await count(client, delivery);
    } catch (error) {
      // The claim went with a session that was about to end; or there is nothing left to do.
      if (!isRecipeError(error, 'LOST') && !allCounted.signal.aborted) throw error;
    }
  }
}

async function totals(): Promise<ReadonlyMap<string, Total>> {
  await persevere(overseer, () => overseer.sync('/totals'));
  const entries = SENSORS.map(async (sensor): Promise<[string, Total]> => {
    const { data } = await persevere(overseer, () => overseer.getData(`/totals/${sensor}`));
    return [sensor, JSON.parse(new TextDecoder().decode(data)) as Total];
  });
  return new Map(await Promise.all(entries));
}

async function untilCounted(readings: number): Promise<void> {
  while ([...(await totals()).values()].reduce((sum, total) => sum + total.readings, 0) < readings)
    await new Promise((resolve) => setTimeout(resolve, 10));
}

const all = SENSORS.length * READINGS_PER_SENSOR;
const measuring = Promise.all(SENSORS.map(measure));
// All workers begin together, however long one of them takes to come.
const starts = Array.from({ length: WORKERS }, async (_, index) => {
  const client = await ensemble.connect();
  await new DoubleBarrier(client, '/start', { members: WORKERS }).enter();
  await client.close();
  await work(`worker-${index + 1}`);
});

await untilCounted(all / 4);
const victim = workers.get('worker-1') as Client;
ensemble.expireSession(victim);
console.log('the session of worker-1 has ended, with a reading in its hands');

await untilCounted(all / 2);
const leader = ensemble.leader as number;
ensemble.crash(leader);
console.log(`server ${leader}, the leader, has crashed; server ${await ensemble.ready()} leads`);
ensemble.restart(leader);

await measuring;
await untilCounted(all);
allCounted.abort();
await Promise.all(starts);

let wrong = 0;
const expected = (READINGS_PER_SENSOR * (READINGS_PER_SENSOR + 1)) / 2;
for (const [sensor, { readings, sum }] of await totals()) {
  const isRight = readings === READINGS_PER_SENSOR && sum === expected;
  if (!isRight) wrong++;
  console.log(`${sensor}: ${readings} readings, sum ${sum}${isRight ? '' : `, which should be ${expected}`}`);
}
console.log(
  `${all} readings, ${deliveries} deliveries, ${sessionsLost} sessions lost: ${wrong === 0 ? 'each reading counts once' : 'WRONG'}`,
);
await ensemble.close();
process.exitCode = wrong === 0 ? 0 : 1;
