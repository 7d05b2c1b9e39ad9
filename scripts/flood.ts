/**
 * `npm run test:flood`: a server in a process of its own, and more connections than it can like: mute ones, ones that say a byte at a time, ones that ask and never read, ones that
 * ask as fast as they can, and far too many from one address. Its clients must not notice. A second server has fewer files than there are connections, and must go on.
 *
 *     npm run test:flood                            10,000 connections
 *     npm run test:flood -- --connections 2000      what CI does
 *     npm run test:flood -- --mutants               every defence taken away, one at a time: each has to be missed
 *
 * Exit status 1 where a client of the server waits too long or loses its session, somebody is not cut off in time, or the server takes more memory than it may; 2 for a
 * command line that makes no sense. Needs addresses of all of 127.0.0.0/8, as Linux has them, and twice as many open files as connections.
 */
import { parseArgs } from 'node:util';
import { bundle, inTemporaryFolder } from './bundle.ts';
import { command, whole } from './command-line.ts';
import { type EnsembleOptions, foundEnsemble, PROGRAM, type ServeProcess } from './crash/ensemble.ts';
import { FEW_FILES_SETTINGS, fewFiles, floodFewFiles } from './flood/few-files.ts';
import { type FloodResult, flood, LOYAL_COUNT, PER_ADDRESS_MAX } from './flood/flood.ts';
import { MUTANTS } from './flood/mutants.ts';
import { tryMutants } from './mutants/try-servers.ts';

const START_MS_MAX = 20_000;
const MEGABYTE = 1024 * 1024;

interface Programs {
  readonly server: string;
  readonly crowd: string;
}

async function run({ server: program, crowd }: Programs, connections: number): Promise<FloodResult> {
  const settings = [`maxCnxns=${connections + LOYAL_COUNT}`];
  const result = await withServer({ program, settings, perAddressMax: PER_ADDRESS_MAX }, (server) => flood({ server, crowd, connections }));
  if (result.faults.length > 0) return result;
  const faults = await withServer({ program, settings: FEW_FILES_SETTINGS, launcher: fewFiles }, (server) => floodFewFiles(server, crowd));
  return { ...result, faults };
}

async function withServer<T>(options: Omit<EnsembleOptions, 'folder' | 'servers'>, task: (server: ServeProcess) => Promise<T>): Promise<T> {
  return inTemporaryFolder(async (folder) => {
    const [server] = await foundEnsemble({ ...options, folder, servers: 1 });
    if (server === undefined) throw new RangeError('an ensemble has a server');
    try {
      await server.start(START_MS_MAX);
      return await task(server);
    } finally {
      await server.kill();
    }
  });
}

function report({ gatheredMs, fates, calm, flooded, memory, bytesMax, faults }: FloodResult): boolean {
  console.log(`gathered in ${seconds(gatheredMs)}`);
  for (const { kind, count, open, longestMs, kept, answers } of fates) {
    const session = kind === 'deaf' ? `, ${kept} sessions kept` : '';
    const asked = kind === 'hasty' ? `, ${answers} answers` : '';
    console.log(`${kind}: ${count}, ${open} still connected, the others cut off after at most ${seconds(longestMs)}${session}${asked}`);
  }
  for (const [name, { count, p50, p99, longest }] of Object.entries({ before: calm, meanwhile: flooded }))
    console.log(`${LOYAL_COUNT} clients ${name}: ${count} requests, median ${ms(p50)}, 99 % ${ms(p99)}, longest ${ms(longest)}`);
  const { before, most, after } = memory;
  console.log(`memory: ${megabytes(before)} before, ${megabytes(most)} at most of ${megabytes(bytesMax)}, ${megabytes(after)} after`);
  for (const fault of faults) console.log(`WRONG: ${fault}`);
  return faults.length === 0;
}

const seconds = (timeMs: number): string => `${(timeMs / 1000).toFixed(1)} s`;
const ms = (timeMs: number): string => `${timeMs.toFixed(1)} ms`;
const megabytes = (bytes: number): string => `${Math.round(bytes / MEGABYTE)} MiB`;

await command(async () => {
  const { values } = parseArgs({
    options: { connections: { type: 'string', default: '10000' }, mutants: { type: 'boolean', default: false } },
  });
  const connections = whole('connections', values.connections, 500);
  return inTemporaryFolder(async (folder) => {
    const crowd = await bundle(new URL('./flood/crowd.ts', import.meta.url), { folder });
    if (values.mutants) return tryMutants(folder, MUTANTS, (server) => run({ server, crowd }, connections));
    return report(await run({ server: await bundle(PROGRAM, { folder }), crowd }, connections));
  });
});
