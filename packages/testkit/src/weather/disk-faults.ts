/** What happens to disks (reliability.md 1.3): they fail, fill up, become slow, and lose what they had. */

import type { Sid } from '@quorate/zab';
import type { Part } from '../world/disk-content.js';
import { between, chance, millis, pick, shuffled } from '../world/random-streams.js';
import type { Scene } from './scene.js';

/** A flush fails once. The server stops and says so; what it finds when it comes back is what a crash leaves. */
export function failFlush(scene: Scene): void {
  const sid = scene.victim();
  scene.note(`the next flush of S${sid} fails`);
  scene.ensemble.disk(sid).failOnce('EIO: i/o error, fsync');
  restartWhereStopped(scene, sid, scene.outageMs());
}

/** No space is left for a while: the server stops at its next write, and at every try to come back that writes. */
export function fillUp(scene: Scene): void {
  const sid = scene.victim();
  const disk = scene.ensemble.disk(sid);
  const forMs = scene.outageMs();
  scene.seen('disk full');
  scene.note(`the disk of S${sid} is full`);
  disk.isFull = true;
  for (let at = 100; at < forMs; at += 400) scene.later(at, () => scene.restart(sid));
  scene.later(forMs, () => {
    scene.note(`the disk of S${sid} has room again`);
    disk.isFull = false;
    restartWhereStopped(scene, sid, 0);
  });
}

function restartWhereStopped(scene: Scene, sid: number, afterMs: number): void {
  // It stops by itself with its next flush; a little later at most it is asked to come back.
  scene.later(afterMs + millis(scene.random, 50, 500), () => scene.restart(sid));
}

export function slowDisk(scene: Scene): void {
  const { random, ensemble } = scene;
  const all = chance(random, 200);
  const sids = all ? scene.sids : [scene.victim()];
  const factor = pick(random, [5, 20, 100]);
  scene.seen('slow disk');
  scene.note(`the disks of ${sids} are ${factor} times slower`);
  for (const sid of sids) ensemble.disk(sid).slowness = factor;
  scene.later(scene.outageMs(), () => {
    for (const sid of sids) ensemble.disk(sid).slowness = 1;
  });
}

/** A server comes back without what it had stored. */
export function wipe(scene: Scene): void {
  const sid = scene.victim();
  if (!scene.canLose(sid)) return;
  scene.crash(sid);
  scene.later(scene.outageMs(), () => {
    if (scene.ensemble.isUp(sid) || !scene.canLose(sid)) return scene.restart(sid);
    scene.seen('disk wiped');
    scene.note(`the disk of S${sid} comes back empty`);
    scene.ensemble.disk(sid).wipe();
    scene.restart(sid);
  });
}

/** Several disks are lost at once, perhaps more than can be borne: what is right then is to stay down. */
export function wipeMany(scene: Scene): void {
  const { random, ensemble, sids } = scene;
  const victims = shuffled(random, sids).slice(0, between(random, 2, sids.length));
  for (const sid of victims) scene.crash(sid);
  scene.later(scene.outageMs(), () => {
    scene.note(`the disks of S${victims} come back empty`);
    for (const sid of victims) {
      if (!ensemble.isUp(sid)) ensemble.disk(sid).wipe();
      scene.restart(sid);
    }
  });
}

/** Something on a disk can no longer be read; the server finds out when it comes back. */
export function rot(scene: Scene): void {
  const { random, ensemble } = scene;
  const sid = scene.victim();
  if (!scene.canLose(sid)) return;
  scene.crash(sid);
  scene.later(scene.outageMs(), () => {
    const disk = ensemble.disk(sid);
    const parts: Part[] = ['acceptedEpoch', 'currentEpoch', 'mark'];
    if (disk.entries > 0) parts.push('entry', 'entry', 'entry');
    if (disk.hasSnapshot) parts.push('snapshot', 'snapshot');
    if (ensemble.isUp(sid) || !scene.canLose(sid)) return scene.restart(sid);
    const part = pick(random, parts);
    scene.seen('disk rots');
    scene.note(`the disk of S${sid} rots: ${part}`);
    disk.rot(part, between(random, 0, Math.max(0, disk.entries - 1)));
    scene.restart(sid);
  });
}

/**
 * Entries of several disks can no longer be read, often the last, perhaps of all disks, and a few disks come back empty: what is left on one of them may make the others whole. They
 * come back one after the other, so that some have nobody to ask for a while and no leader to end it, and some crash while they are mended.
 */
export function rotMany(scene: Scene): void {
  const { random, sids } = scene;
  const victims = shuffled(random, sids).slice(0, between(random, 2, sids.length));
  for (const sid of victims) scene.crash(sid);
  scene.later(scene.outageMs(), () => {
    scene.note(`the disks of S${victims} rot`);
    for (const sid of victims) {
      if (!scene.ensemble.isUp(sid)) rotLog(scene, sid);
      scene.later(chance(random, 500) ? 0 : scene.outageMs(), () => {
        scene.restart(sid);
        if (chance(random, 700)) return;
        scene.later(millis(random, 0, 100), () => {
          scene.crash(sid);
          scene.later(millis(random, 0, 200), () => scene.restart(sid));
        });
      });
    }
  });
}

/** One or two stretches of a log, mostly short, or everything. */
function rotLog({ random, ensemble }: Scene, sid: Sid): void {
  const disk = ensemble.disk(sid);
  if (chance(random, 100)) return disk.wipe();
  for (let times = between(random, 1, 2); times > 0 && disk.entries > 0; times--) {
    const last = chance(random, 400) ? disk.entries - 1 : between(random, 0, disk.entries - 1);
    const length = chance(random, 400) ? between(random, 2, 4) : 1;
    for (let at = last; at >= 0 && at > last - length; at--) disk.rot('entry', at);
  }
}

/** A server comes back with what it had stored earlier, as from a backup. Nobody can tell; so it is done only where a quorum of others has all of it. */
export function goBack(scene: Scene): void {
  const { random, ensemble } = scene;
  const sid = scene.victim();
  const earlier = ensemble.disk(sid).remember();
  if (earlier.isRotten) return;
  scene.later(millis(random, 500, 8000), () => {
    if (!scene.isReplaceable(sid) || !earlier.isMarked) return;
    scene.crash(sid);
    if (!scene.isReplaceable(sid)) return scene.restart(sid);
    scene.seen('disk of earlier days');
    scene.note(`the disk of S${sid} goes back to an earlier state`);
    earlier.restore();
    scene.restart(sid);
  });
}
