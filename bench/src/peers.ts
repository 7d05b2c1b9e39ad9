/** Other makers' consensus, each in a process of its own. What is missing is fetched where that takes npm alone, else named and left out. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Contestant } from './zab.js';

// This file is run from bench/dist.
const sources = fileURLToPath(new URL('../peers/', import.meta.url));
const built = fileURLToPath(new URL('./', import.meta.url));

const packages = ['@coaty/consensus.raft@1.0.0', 'skiff-algorithm@0.8.2'];

/** All that can be had here; says what cannot, and how to get it. */
export async function findPeers(): Promise<Contestant[]> {
  const commands: string[][] = [];
  if (buildEtcdRaft()) for (const variant of ['plain', 'encoded', 'batched']) commands.push([`${built}etcd-raft`, variant]);
  if (installPackages()) for (const peer of ['coaty-raft', 'skiff']) commands.push([process.execPath, `${built}peers/${peer}.js`, sources]);
  const peers = await Promise.all(commands.map(([command = '', ...args]) => startPeer(command, args)));
  return peers.filter((peer) => peer !== undefined);
}

/** The sources are those of Debian's package, under the old kind of GOPATH: nothing is downloaded. */
function buildEtcdRaft(): boolean {
  const go = spawnSync('go', ['build', '-o', `${built}etcd-raft`, '.'], {
    cwd: `${sources}etcd-raft`,
    env: { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOTOOLCHAIN: 'local' },
    encoding: 'utf8',
  });
  if (go.status === 0) return true;
  console.log(
    `\netcd/raft is left out: it needs Debian's packages golang-go and golang-etcd-server-dev.\n${go.error?.message ?? go.stderr}`,
  );
  return false;
}

function installPackages(): boolean {
  if (packages.every((name) => existsSync(`${sources}node_modules/${name.replace(/@[^@]*$/, '')}`))) return true;
  console.log(`\nInstalling ${packages.join(' and ')} …`);
  const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', sources];
  const npm = spawnSync('npm', ['install', ...options, ...packages], { encoding: 'utf8', shell: process.platform === 'win32' });
  if (npm.status === 0) return true;
  console.log(`${packages.join(' and ')} are left out: npm could not install them.\n${npm.error?.message ?? npm.stderr}`);
  return false;
}

/** A process that says its name, and answers each line "BYTES OUTSTANDING MS" by a rate. Where it ends of itself, it has said why. */
async function startPeer(command: string, args: readonly string[]): Promise<Contestant | undefined> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const name = await lines.next();
  if (name.done === true) return undefined;
  return {
    name: name.value,
    measure: async (bytes, outstanding, timeMs) => {
      child.stdin.write(`${bytes} ${outstanding} ${Math.ceil(timeMs)}\n`);
      const rate = await lines.next();
      return rate.done === true ? undefined : Number(rate.value);
    },
    close: () => child.stdin.end(),
  };
}
