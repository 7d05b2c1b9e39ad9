/** The load generator: it takes orders from the process that has forked it, one after the other, and ends with it. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Latencies } from './latencies.js';
import { LoadSession } from './load-session.js';
import type { LoadOrder, LoadResult } from './order.js';
import { deletesOf, requestsOf } from './requests.js';

process.on('disconnect', () => process.exit());
process.on('message', (order: LoadOrder) => {
  void load(order).then((result) => process.send?.(result));
});

async function load({ ports, pids, work, sessions: count, outstanding, warmupMs, timeMs }: LoadOrder): Promise<LoadResult> {
  const latencies = new Latencies();
  const sessions = await Promise.all(
    Array.from({ length: count }, (_, index) => LoadSession.open(ports[index % ports.length] as number, outstanding)),
  );
  const runs = Promise.all(sessions.map((session, index) => session.run(requestsOf(work, index), latencies)));
  await sleep(warmupMs);
  latencies.clear();
  const start = performance.now();
  const processorBefore = processorsMs(pids);
  await sleep(timeMs);
  const perSecond = (latencies.count * 1_000) / (performance.now() - start);
  const cpuUs = ((processorsMs(pids) - processorBefore) * 1_000) / latencies.count;
  const result = { perSecond, cpuUs, p50Ms: latencies.quantileMs(0.5), p99Ms: latencies.quantileMs(0.99) };
  for (const session of sessions) session.stop();
  await runs;
  // The next round shall find the tree as this one has.
  if (work === 'create') await Promise.all(sessions.map((session, index) => session.run(deletesOf(index), undefined, session.sent)));
  await Promise.all(sessions.map((session) => session.close()));
  return result;
}

/** Linux counts in hundredths of a second. */
const MS_PER_CLOCK_TICK = 10;
/** Fields of /proc/PID/stat behind the name of the program, which may hold blanks. */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

function processorsMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + processorMs(pid), 0);
}

/** How much processor time a process has taken by now, in milliseconds. */
function processorMs(pid: number): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return Number.NaN;
  const fields = readFileSync(file, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])) * MS_PER_CLOCK_TICK;
}
