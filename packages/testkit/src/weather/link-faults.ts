/** What happens between servers (reliability.md 1.1). */
import type { Sid } from '@quorate/zab';
import { between, chance, millis, pick, shuffled } from '../world/random-streams.js';
import { hostOf } from '../world/sim-transport.js';
import { bothWays, pairs, type Scene } from './scene.js';

export function partition(scene: Scene): void {
  const { random, ensemble, sids } = scene;
  const order = shuffled(random, sids);
  const alone = order.slice(0, between(random, 1, Math.floor(order.length / 2)));
  const { leader } = ensemble;
  // The leader's being in the minority is what tests most.
  if (leader !== undefined && chance(random, 500) && !alone.includes(leader)) alone[0] = leader;
  const rest = sids.filter((sid) => !alone.includes(sid));
  if (leader !== undefined && alone.includes(leader)) scene.seen('partition with the leader in the minority');
  scene.seen('partition');
  scene.cut(bothWays(alone, rest), `servers ${alone} are cut off`);
  // Those on one side may see it at once while the others still believe that all is well.
  if (chance(random, 400)) scene.later(millis(random, 0, 30), () => giveUp(scene, rest, alone));
}

function giveUp(scene: Scene, some: readonly Sid[], others: readonly Sid[]): void {
  for (const a of some) for (const b of others) scene.network.reset(hostOf(a), hostOf(b));
}

/** Most know at once that the leader, and perhaps another with it, is cut off, and its own clock is slow: they have another one, and it still believes that it leads. */
export function depose(scene: Scene): void {
  const { random, ensemble } = scene;
  const { leader } = ensemble;
  if (leader === undefined) return;
  const others = shuffled(random, scene.othersThan(leader));
  const withIt = others.slice(0, chance(random, 500) ? Math.floor((others.length - 1) / 2) : 0);
  const rest = others.slice(withIt.length);
  const forMs = scene.outageMs() + 500;
  scene.seen('leader cut off with a slow clock');
  ensemble.setClockRate(leader, 0.5);
  scene.later(forMs, () => ensemble.setClockRate(leader, 1));
  scene.cut(
    bothWays([leader, ...withIt], rest),
    `S${leader}, which leads, is cut off with ${withIt.length} others, and its clock is slow`,
    forMs,
  );
  giveUp(scene, rest, [leader, ...withIt]);
}

/**
 * One that follows is cut off, knows it at once, and is back before its clients have given it up: what it has missed comes as a snapshot where the others keep
 * few txns.
 */
export function leaveBehind(scene: Scene): void {
  const sid = follower(scene);
  const others = scene.othersThan(sid);
  scene.seen('follower left behind for a moment');
  scene.cut(bothWays([sid], others), `S${sid} is left behind`, millis(scene.random, 100, 800));
  giveUp(scene, [sid], others);
}

/**
 * One that follows is cut off, and keeps the connections of its clients. When it is back the leader is gone, and with it what nobody else was told of those who have
 * gone on elsewhere meanwhile.
 */
export function relieve(scene: Scene): void {
  const { random, ensemble } = scene;
  const sid = follower(scene);
  const others = scene.othersThan(sid);
  const forMs = millis(random, 150, 900);
  scene.seen('follower back when the leader is gone');
  scene.cut(bothWays([sid], others), `S${sid} is cut off until the leader is gone`, forMs);
  giveUp(scene, [sid], others);
  scene.later(Math.max(0, forMs - millis(random, 0, 100)), () => {
    const { leader } = ensemble;
    if (leader === undefined) return;
    scene.crash(leader);
    scene.later(scene.outageMs() + 300, () => scene.restart(leader));
  });
}

/** Any server that does not lead. */
function follower({ random, ensemble, sids }: Scene): Sid {
  return pick(
    random,
    sids.filter((sid) => sid !== ensemble.leader),
  );
}

/** A server that is heard but does not hear, or the other way round. */
export function cutOneWay(scene: Scene): void {
  const { random } = scene;
  const sid = scene.victim();
  const others = scene.othersThan(sid);
  const some = chance(random, 500) ? others : shuffled(random, others).slice(0, 1);
  scene.seen('one-way cut');
  if (chance(random, 500)) scene.cut(pairs([sid], some), `nothing of S${sid} reaches ${some}`);
  else scene.cut(pairs(some, [sid]), `nothing of ${some} reaches S${sid}`);
}

/** Two servers do not see each other; all others see both. */
export function cutBetweenTwo(scene: Scene): void {
  const [a, b] = shuffled(scene.random, scene.sids) as [Sid, Sid];
  scene.cut(bothWays([a], [b]), `S${a} and S${b} do not reach each other`);
}

/** One server reaches all others, which fall into two halves that do not reach each other. */
export function leaveBridge(scene: Scene): void {
  const [bridge, ...others] = shuffled(scene.random, scene.sids) as [Sid, ...Sid[]];
  const half = others.slice(0, Math.floor(others.length / 2));
  const rest = others.slice(half.length);
  scene.seen('partial partition with a bridge');
  scene.cut(bothWays(half, rest), `${half} and ${rest} reach each other by way of S${bridge} only`);
}

/** Links stop one by one, in any order, and come back one by one in another. */
export function swizzle(scene: Scene): void {
  const { random, sids } = scene;
  const all = sids.flatMap((a) => sids.filter((b) => b !== a).map((b) => [hostOf(a), hostOf(b)] as const));
  const stopped = shuffled(random, all).slice(0, between(random, 2, all.length));
  scene.seen('links stop and come back one by one');
  scene.note(`${stopped.length} links stop one by one`);
  const mends: (() => void)[] = [];
  let at = 0;
  for (const link of stopped) {
    at += millis(random, 0, 60);
    scene.later(at, () => void mends.push(scene.network.cut([link], random)));
  }
  const outageMs = at + scene.outageMs() / 2;
  let back = outageMs;
  for (let i = 0; i < stopped.length; i++) {
    back += millis(random, 0, 60);
    scene.later(back, () => mends.splice(between(random, 0, mends.length - 1), 1)[0]?.());
  }
}

export function slowDown(scene: Scene): void {
  const sid = scene.victim();
  const factor = pick(scene.random, [5, 20, 60]);
  scene.seen('slow links');
  scene.note(`the links of S${sid} are ${factor} times slower`);
  scene.later(scene.outageMs(), scene.network.slow(bothWays([sid], scene.othersThan(sid)), factor));
}

export function resetChannels(scene: Scene): void {
  const sid = scene.victim();
  let count = 0;
  for (const other of scene.othersThan(sid)) if (chance(scene.random, 600)) count += scene.network.reset(hostOf(sid), hostOf(other));
  if (count > 0) scene.seen('channels reset');
  scene.note(`S${sid} resets ${count} of its channels`);
}
