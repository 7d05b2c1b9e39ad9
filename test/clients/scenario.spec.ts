/** One scenario, run by the clients of several makers, against Apache ZooKeeper and against Quorate: the same outcomes, step by step. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApache } from '../../scripts/differential/apache.ts';
import { type Feature, runScenario, scenario } from './scenario.ts';
import { openNodeZooKeeperClient, openOurs } from './scenario-clients.ts';
import { ServedEnsemble } from './served-ensemble.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'quorate-scenario-'));
  execFileSync('cc', ['-DTHREADED', '-o', join(scratch, 'scenario'), join(import.meta.dirname, 'scenario.c'), '-lzookeeper_mt']);
});
afterAll(() => rmSync(scratch, { recursive: true }));

interface Runner {
  readonly client: string;
  readonly features: readonly Feature[];
  readonly run: (steps: readonly string[], servers: string) => Promise<readonly string[]>;
}

const ALL: readonly Feature[] = ['container', 'ttl', 'sync'];

const runners: readonly Runner[] = [
  { client: 'our client', features: ALL, run: (steps, servers) => runScenario(steps, () => openOurs(servers)) },
  { client: 'node-zookeeper-client', features: [], run: (steps, servers) => runScenario(steps, () => openNodeZooKeeperClient(servers)) },
  { client: 'the C client', features: ALL, run: (steps, servers) => runProgram(join(scratch, 'scenario'), [servers], steps) },
  // The interpreter of Debian, which has Debian's packages, wherever else there may be one.
  {
    client: 'kazoo',
    features: ['sync'],
    run: (steps, servers) => runProgram('/usr/bin/python3', [join(import.meta.dirname, 'scenario.py'), servers], steps),
  },
];

/** Gives a program the steps and takes the lines that it prints. */
function runProgram(program: string, args: readonly string[], steps: readonly string[]): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', () => resolve(output.trim().split('\n')));
    child.stdin.end(`${steps.join('\n')}\n`);
  });
}

const servers = [
  {
    server: 'Apache ZooKeeper 3.8.0',
    start: async () => {
      const apache = await startApache(1);
      return { connectString: `127.0.0.1:${apache.servers[0]?.port}`, stop: () => apache.close() };
    },
  },
  { server: 'Quorate', start: () => ServedEnsemble.start(1) },
  { server: 'Quorate, three servers', start: () => ServedEnsemble.start(3) },
];

describe.each(servers)('$server', ({ start }) => {
  let running: { readonly connectString: string; stop(): Promise<void> };
  beforeAll(async () => {
    running = await start();
  });
  afterAll(() => running.stop());

  // They leave everything as it was, so that each finds what the one before it has found.
  test.each(runners)('$client', async ({ run, features }) => {
    const steps = scenario(features);
    expect(await run(steps, running.connectString)).toEqual(steps);
  });
});
