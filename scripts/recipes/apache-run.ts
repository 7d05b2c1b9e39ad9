/** Plays scenarios by the real clock against Apache ZooKeeper. */
import { Client, type Connector } from '@quorate/client';
import { tcpConnector } from '@quorate/node';
import { isZooKeeperError, joinPath } from '@quorate/protocol';
import { perform, type Scenario } from '@quorate/testkit';
import { startApache } from '../differential/apache.ts';

/** How long things go wrong in one play. */
const RUN_MS = 2_500;
/** In ticks of 50 ms it is more than the least that the server gives. A busy machine must not be what ends a session. */
const SESSION_TIMEOUT_MS = 600;
/** Lines of the record that a failure shows. */
const LINES_SHOWN = 60;

/** Gives true where everything has held. */
export async function playAgainstApache(scenarios: readonly Scenario[], seed: number): Promise<boolean> {
  const apache = await startApache(1);
  try {
    const connector = tcpConnector(apache.servers.map(({ port }) => `127.0.0.1:${port}`).join(','));
    let failures = 0;
    for (const scenario of scenarios) {
      const startedAt = performance.now();
      const { violation, faults, sometimes, record } = await perform(scenario, {
        seed,
        connector,
        runMs: RUN_MS,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
      });
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      const seen = sometimes.map(([condition, count]) => `${condition} ${count}`).join(', ');
      console.log(`${scenario.name.padEnd(22)} ${violation === undefined ? 'holds' : 'FAILS'} | ${seconds} s, ${faults} faults | ${seen}`);
      if (violation !== undefined) {
        failures++;
        for (const line of record.slice(-LINES_SHOWN)) console.log(line);
        console.log(`${scenario.name}: ${violation.property}: ${violation.message}`);
      }
      await wipe(connector);
    }
    console.log(`${scenarios.length} scenarios against Apache ZooKeeper 3.8, ${failures} failed`);
    return failures === 0;
  } finally {
    await apache.close();
  }
}

/** The next scenario shall find nothing. */
async function wipe(connector: Connector): Promise<void> {
  await using client = await Client.connect({ connector });
  const { children } = await client.getChildren('/');
  for (const name of children) if (name !== 'zookeeper') await remove(client, joinPath('/', name));
}

/** Sessions that are ending remove what they own meanwhile. */
async function remove(client: Client, path: string): Promise<void> {
  try {
    const { children } = await client.getChildren(path);
    for (const name of children) await remove(client, joinPath(path, name));
    await client.delete(path);
  } catch (error) {
    if (!isZooKeeperError(error, 'NO_NODE')) throw error;
  }
}
