/** Apache ZooKeeper alone, on a directory that outlives it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../packages/node/test/support/free-ports.ts';
import { JAR, launch, srvr, stop } from '../../scripts/differential/apache.ts';

const START_TIMEOUT_MS = 60_000;

export interface ApacheServer {
  /** What a client is told. */
  readonly connectString: string;
  /** Ends it without a goodbye. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Resolves once it serves. */
export async function startOn(dataDir: string, java: readonly string[] = []): Promise<ApacheServer> {
  const [port = 0] = await freePorts(1);
  const file = join(dataDir, 'zoo.cfg');
  const lines = [
    `dataDir=${dataDir}`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    'tickTime=2000',
    'admin.enableServer=false',
    'preAllocSize=64',
  ];
  await writeFile(file, lines.join('\n'));
  const options = [
    '-Dzookeeper.extendedTypesEnabled=true',
    '-Dzookeeper.forceSync=no',
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
  ];
  const server = launch([...options, ...java, '-cp', JAR, 'org.apache.zookeeper.server.ZooKeeperServerMain', file]);
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  while (!(await srvr(port)).includes('Mode:'))
    if (server.exitCode !== null || performance.now() > giveUpAt) throw new Error(`Apache ZooKeeper does not start on ${dataDir}`);
  const gone = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  return {
    connectString: `127.0.0.1:${port}`,
    async kill() {
      server.kill('SIGKILL');
      await gone;
    },
    stop: () => stop(server),
  };
}
