import type { Client } from '@quorate/client';
import { isZooKeeperError, joinPath } from '@quorate/protocol';
import type { Stage } from '../stage/stage.js';

/** Fails where znodes of a recipe are left in its directory once nobody needs it and all sessions of those who died are over. Directories of these names may be left, if they are empty. */
export function judgeNothingLeft(stage: Stage, directory: string, empty: readonly string[] = []): Promise<void> {
  return stage.cast(
    'judge',
    async ({ client, pause }) => {
      await pause(stage.sessionTimeoutMs * 1.5);
      await client.sync();
      const left = (await childrenOf(client, directory)).filter((name) => !empty.includes(name));
      for (const name of empty) left.push(...(await childrenOf(client, joinPath(directory, name))));
      if (left.length > 0) stage.fail('NothingLeft', `${directory} still has ${left.join(', ')}`);
    },
    { unharmed: true },
  );
}

async function childrenOf(client: Client, directory: string): Promise<string[]> {
  try {
    return (await client.getChildren(directory)).children;
  } catch (error) {
    if (isZooKeeperError(error, 'NO_NODE')) return [];
    throw error;
  }
}
