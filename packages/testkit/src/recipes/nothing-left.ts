import { isZooKeeperError } from '@quorate/protocol';
import type { Stage } from '../stage/stage.js';

/** Fails where znodes of a recipe are left in its directory once nobody needs it and all sessions of those who died are over. */
export function judgeNothingLeft(stage: Stage, directory: string): Promise<void> {
  const part = async ({ client, pause }: Parameters<Parameters<Stage['cast']>[1]>[0]): Promise<void> => {
    await pause(stage.sessionTimeoutMs * 1.5);
    await client.sync();
    const children = await client.getChildren(directory).then(
      ({ children }) => children,
      (error) => {
        if (isZooKeeperError(error, 'NO_NODE')) return [];
        throw error;
      },
    );
    if (children.length > 0) stage.fail('NothingLeft', `${directory} still has ${children.join(', ')}`);
  };
  return stage.cast('judge', part, { unharmed: true });
}
