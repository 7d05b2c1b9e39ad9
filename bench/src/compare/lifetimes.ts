/** Ensembles from their start to the loss of their leader: how soon they write, in milliseconds. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { foundEnsemble } from '../../../scripts/crash/ensemble.ts';
import { srvr, startApache } from '../../../scripts/differential/apache.ts';
import { DURABLE_SERVERS, QUORATE, START_MS_MAX } from './contestants.js';
import { firstWrite } from './first-write.js';

export interface Lifetime {
  /** From the start of three processes to the first write. */
  readonly bootMs: number;
  /** From the kill -9 of the leader to the next write. */
  readonly failoverMs: number;
}

export async function lifetimeOfApache(): Promise<Lifetime> {
  let bootMs: Promise<number> | undefined;
  const onLaunched = (ports: readonly number[]): void => {
    bootMs = msUntil(firstWrite(ports));
  };
  const { servers, close } = await startApache(DURABLE_SERVERS, { under: tmpdir(), java: [], settings: ['tickTime=2000'], onLaunched });
  try {
    const [leader, ...others] = servers;
    const boot = (await bootMs) as number;
    process.kill(leader?.pid as number, 'SIGKILL');
    return { bootMs: boot, failoverMs: await msUntil(firstWrite(others.map(({ port }) => port))) };
  } finally {
    await close();
  }
}

export async function lifetimeOfOurs(): Promise<Lifetime> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-durable-'));
  const servers = await foundEnsemble({ program: QUORATE, folder, servers: DURABLE_SERVERS, settings: ['tickTime=2000'] });
  try {
    const serving = Promise.all(servers.map((server) => server.start(START_MS_MAX)));
    const bootMs = await msUntil(firstWrite(servers.map(({ port }) => port)));
    await serving;
    const modes = await Promise.all(servers.map(({ port }) => srvr(port)));
    const leader = servers[modes.findIndex((text) => text.includes('Mode: leader'))];
    void leader?.kill();
    return { bootMs, failoverMs: await msUntil(firstWrite(servers.filter((server) => server !== leader).map(({ port }) => port))) };
  } finally {
    await Promise.all(servers.map((server) => server.kill()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function msUntil(event: Promise<void>): Promise<number> {
  const start = performance.now();
  await event;
  return performance.now() - start;
}
