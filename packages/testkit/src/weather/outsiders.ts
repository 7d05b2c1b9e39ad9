/**
 * Servers that are broken for ever, in the second phase of a run: those outside a core that is well must not keep the core from coming right, whatever
 * state they are in (reliability.md 2.3).
 */
import type { Sid } from '@quorate/zab';
import { millis, pick } from '../world/random-streams.js';
import { pairs, type Scene } from './scene.js';

/** The deaf one is drawn more often: it wins elections. */
const STATES = ['dead', 'deaf', 'deaf', 'mute', 'isolated', 'restarting', 'full', 'still'] as const;

export function breakForEver(scene: Scene, sid: Sid, core: readonly Sid[]): void {
  const { ensemble, network, random } = scene;
  const state = pick(random, STATES);
  scene.seen('server broken for ever');
  scene.note(`S${sid} is ${state} from now on`);
  scene.shutOffClients(sid);
  switch (state) {
    case 'dead':
      scene.crash(sid);
      return;
    case 'deaf':
      scene.restart(sid);
      network.cutForEver(pairs(core, [sid]));
      return;
    case 'mute':
      scene.restart(sid);
      network.cutForEver(pairs([sid], core));
      return;
    case 'isolated':
      scene.restart(sid);
      network.cutForEver([...pairs(core, [sid]), ...pairs([sid], core)]);
      return;
    case 'restarting':
      restartForEver(scene, sid);
      return;
    case 'full':
      scene.restart(sid);
      ensemble.disk(sid).isFull = true;
      return;
    case 'still':
      scene.restart(sid);
      ensemble.process(sid)?.pause();
      return;
  }
}

/** It stays away so long that the core has a leader of its own by then: nothing excludes one that is back within the election, and wins it. */
function restartForEver(scene: Scene, sid: Sid): void {
  scene.crash(sid);
  scene.later(millis(scene.random, 1500, 4000), () => {
    scene.restart(sid);
    scene.later(millis(scene.random, 50, 4000), () => restartForEver(scene, sid));
  });
}
