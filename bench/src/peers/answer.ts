/** How a peer that runs on Node takes part: a process of its own that says its name and answers each line "BYTES OUTSTANDING MS" by a rate. */
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

/** Three nodes joined in memory, of which the first leads. */
export interface PeerEnsemble {
  /** Proposes so many txns at once and waits until they are committed. */
  commit(count: number): Promise<void> | void;
  /** What each node has applied; asked once everything that was proposed must have been. */
  applied(): Promise<readonly number[]> | readonly number[];
  stop(): void;
}

/** For the packages that are installed in the folder that the argument names. */
export const requirePeer = createRequire(process.argv[2] as string);

export async function answer(name: string, begin: (payload: string) => Promise<PeerEnsemble> | PeerEnsemble): Promise<void> {
  console.log(name);
  for await (const line of createInterface({ input: process.stdin })) {
    const [bytes = 0, outstanding = 0, ms = 0] = line.split(' ').map(Number);
    const ensemble = await begin('x'.repeat(bytes));
    const start = performance.now();
    let proposed = 0;
    do {
      await ensemble.commit(outstanding);
      proposed += outstanding;
    } while (performance.now() < start + ms);
    const perSecond = (proposed * 1_000) / (performance.now() - start);
    const applied = await ensemble.applied();
    ensemble.stop();
    if (applied.length !== 3 || applied.some((count) => count !== proposed))
      throw new Error(`of ${proposed} txns ${applied.join(', ')} were applied`);
    console.log(perSecond);
  }
}
