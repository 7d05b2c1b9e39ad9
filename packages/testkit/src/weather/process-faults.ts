/** What happens to processes and their clocks (reliability.md 1.2). */
import type { Sid } from '@quorate/zab';
import { between, chance, millis, pick, shuffled } from '../world/random-streams.js';
import type { Ambush } from './ambush.js';
import type { Scene } from './scene.js';

export function crashOne(scene: Scene): void {
  const sid = scene.victim();
  if (!scene.ensemble.isUp(sid)) return;
  scene.crash(sid);
  scene.later(scene.outageMs(), () => scene.restart(sid));
}

/** Power is lost on most or all servers at one instant. */
export function losePower(scene: Scene): void {
  const { random, sids } = scene;
  const count = chance(random, 600) ? sids.length : between(random, 2, sids.length);
  if (count === sids.length) scene.seen('power lost on all servers at once');
  const outageMs = scene.outageMs();
  for (const sid of shuffled(random, sids).slice(0, count)) {
    scene.crash(sid);
    scene.later(outageMs + millis(random, 0, 300), () => scene.restart(sid));
  }
}

/** A server that does not live long, again and again, also in the middle of its recovery. */
export function crashLoop(scene: Scene): void {
  const { random } = scene;
  const sid = scene.victim();
  let left = between(random, 2, 6);
  const round = (): void => {
    scene.crash(sid);
    scene.later(millis(random, 0, 200), () => {
      scene.restart(sid);
      if (--left > 0) scene.later(millis(random, 0, 400), round);
    });
  };
  round();
}

/** The next servers that take a certain step crash in it, before it, or soon after; what comes first is often an election. */
export function layAmbush(scene: Scene, ambush: Ambush): void {
  const { random, ensemble } = scene;
  let again = chance(random, 500) ? 1 : 0;
  const onCaught = (sid: Sid, between: 'effects' | 'turns'): void => {
    scene.seen(between === 'effects' ? 'crash between two effects' : 'crash in ambush');
    scene.crash(sid);
    if (again-- > 0) ambush.lay(random, onCaught);
    scene.later(chance(random, 600) ? millis(random, 0, 100) : scene.outageMs(), () => scene.restart(sid));
  };
  ambush.lay(random, onCaught);
  const { leader } = ensemble;
  if (leader === undefined || chance(random, 400)) return;
  scene.crash(leader);
  scene.later(millis(random, 1, 200), () => scene.restart(leader));
}

export function pauseOne(scene: Scene): void {
  const { ensemble, random } = scene;
  const sid = scene.victim();
  if (ensemble.process(sid) === undefined || ensemble.isPaused(sid)) return;
  scene.seen('server paused');
  if (ensemble.leader === sid) scene.seen('serving leader paused');
  scene.note(`S${sid} stands still`);
  pauseFor(scene, sid, millis(random, 20, 3000));
}

function pauseFor(scene: Scene, sid: Sid, forMs: number): void {
  const process = scene.ensemble.process(sid);
  if (process === undefined || process.isPaused) return;
  process.pause();
  scene.later(forMs, () => {
    if (process.hasEnded) return;
    scene.note(`S${sid} goes on`);
    process.resume();
  });
}

/** The leader stands still for longer than many sessions may be silent; or all servers do, as guests of one machine that is suspended. */
export function suspend(scene: Scene): void {
  const { ensemble, random } = scene;
  const { leader } = ensemble;
  const sids = leader === undefined || chance(random, 400) ? scene.sids : [leader];
  scene.seen(sids.length === 1 ? 'serving leader paused' : 'all servers paused at once');
  scene.note(`servers ${sids} stand still`);
  const forMs = millis(random, 600, 4000);
  for (const sid of sids) pauseFor(scene, sid, forMs);
}

/** A clock runs too fast or too slowly. It may cost liveness, never safety. */
export function drift(scene: Scene): void {
  const sid = scene.victim();
  const rate = pick(scene.random, [0.5, 0.75, 1.25, 1.5, 2]);
  scene.seen('clock drifts');
  scene.note(`the clock of S${sid} runs ${rate} times as fast`);
  scene.ensemble.setClockRate(sid, rate);
  scene.later(scene.outageMs() * 2, () => scene.ensemble.setClockRate(sid, 1));
}

/** A wall clock jumps, in either direction. It decides nothing. */
export function jumpWallClock(scene: Scene): void {
  const sid = scene.victim();
  const byMs = between(scene.random, -86_400_000, 86_400_000);
  scene.seen('wall clock jumps');
  scene.note(`the wall clock of S${sid} jumps by ${byMs} ms`);
  scene.ensemble.jumpWallClock(sid, byMs);
}

/** No fault, but what an operator does: the leader shall hand over. */
export function askToHandOver(scene: Scene): void {
  const { ensemble, random } = scene;
  const { leader } = ensemble;
  if (leader === undefined) return;
  // To one without a vote it must not.
  const blank = scene.sids.find((sid) => ensemble.machine(sid)?.status.votes === false);
  const to = chance(random, 500) ? pick(random, scene.sids) : chance(random, 500) ? blank : undefined;
  scene.note(`S${leader} shall hand over to ${to === undefined ? 'anybody' : `S${to}`}`);
  ensemble.machine(leader)?.handOver(to);
}
