/** Znodes that are kept. */
import type { Client } from '@quorate/client';
import { decodeUtf8, isZooKeeperError } from '@quorate/protocol';
import { PersistentNode } from '@quorate/recipes';
import type { Scenario, Stage } from '../stage/stage.js';
import { chance, millis } from '../world/random-streams.js';

export const keepingScenarios: readonly Scenario[] = [{ name: 'persistent-node', play: playPersistentNode }];

const PATH = '/nodes/a';

/** One process keeps a znode and changes its data; another one removes it now and then. In the end it is there, with the last data. */
async function playPersistentNode(stage: Stage): Promise<void> {
  const keeping = stage.cast('keeper', async (actor) => {
    const { id, random, over, pause } = actor;
    await using node = new PersistentNode(() => actor.connect(), PATH, id).start();
    let data = id;
    for (let i = 0; !over.aborted; i++) {
      await pause(millis(random, 0, stage.sessionTimeoutMs / 2), over);
      if (chance(random, 300)) continue;
      data = `${id} ${i}`;
      await node.setData(data);
    }
    await node.created();
    await pause(stage.sessionTimeoutMs * 2);
    await node.created();
    await pause(stage.sessionTimeoutMs / 4);
    const found = await readOrNothing(stage, actor.client);
    if (found !== data) stage.fail('KeptWithItsData', `${PATH} has ${found} in the end, and must have ${data}`);
    await node.close();
    await new PersistentNode(actor.client, PATH).start().close();
    if ((await readOrNothing(stage, actor.client)) !== undefined) stage.fail('NothingLeft', `${PATH} is there after close`);
  });
  const removing = stage.cast('remover', async ({ client, random, over, pause }) => {
    while (!over.aborted) {
      await pause(millis(random, 0, stage.sessionTimeoutMs), over);
      const outcome = await client.delete(PATH).then(
        () => 'removed by somebody else',
        (error) => {
          if (!isZooKeeperError(error, 'NO_NODE') && !isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
          return 'not there to be removed';
        },
      );
      stage.seen(outcome);
    }
  });
  await Promise.all([keeping, removing]);
}

async function readOrNothing(stage: Stage, client: Client): Promise<string | undefined> {
  for (;;) {
    try {
      await client.sync();
      return decodeUtf8((await client.getData(PATH)).data);
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) return undefined;
      if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
      stage.seen('read again');
    }
  }
}
