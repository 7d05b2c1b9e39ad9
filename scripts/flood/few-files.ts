/** More connections than the system lets the server have files: it must keep enough of them for its store, which opens a new one again and again. */
import { connect } from '@quorate/node';
import type { ServeProcess } from '../crash/ensemble.ts';
import { CrowdProcess } from './crowd-process.ts';

export const OPEN_FILES_MAX = 200;
/** Of the server under few files. */
export const FEW_FILES_SETTINGS: readonly string[] = ['snapCount=200'];
/** So that there are snapshots, and segments of the log. */
const WRITES = 2_000;
const UNDER_WAY = 50;
const TURNED_AWAY_MS_MAX = 1_000;

/** What starts a process that may have few files. */
export function fewFiles(): readonly string[] {
  return ['sh', '-c', `ulimit -n ${OPEN_FILES_MAX}; exec "$@"`, 'sh'];
}

/** What went wrong. The server is started. */
export async function floodFewFiles({ address, port }: ServeProcess, program: string): Promise<readonly string[]> {
  await using crowd = new CrowdProcess(program);
  await using client = await connect(address);
  await client.create('/few');
  await crowd.order({ kind: 'push', port, count: 2 * OPEN_FILES_MAX, sameAddress: false, withinMs: TURNED_AWAY_MS_MAX });
  try {
    for (let write = 0; write < WRITES; write += UNDER_WAY)
      await Promise.all(Array.from({ length: UNDER_WAY }, () => client.setData('/few', String(write))));
    return [];
  } catch (error) {
    return [`under ${OPEN_FILES_MAX} open files a write was answered: ${(error as Error).message}`];
  }
}
