/** Servers brought to where a test begins. */
import { makeZxid, type Zxid } from '@quorate/protocol';
import { type Effect, extendChain, type Gap, type Input, type Message, type Run, type Sid, type StoredImage } from '@quorate/zab';
import { expect } from 'vitest';
import { TestEnsemble } from './ensemble.js';

export const text = (...texts: string[]): Uint8Array[] => texts.map((t) => Uint8Array.from(t, (c) => c.charCodeAt(0)));

/** A run of txns that say what they are. */
export const run = (epoch: number, counter: number, ...texts: string[]): Run => ({
  zxid: makeZxid(epoch, counter),
  payloads: text(...texts),
});

/** A store of this epoch with these runs. */
export const image = (epoch: number, ...runs: Run[]): Pick<StoredImage, 'acceptedEpoch' | 'currentEpoch' | 'runs'> => ({
  acceptedEpoch: epoch,
  currentEpoch: epoch,
  runs,
});

/** The same of which some texts cannot be read. What is lost side by side is one gap. */
export function damaged(
  { zxid, payloads, epoch, endIsKnown = true }: Run & { readonly epoch: number; readonly endIsKnown?: boolean },
  ...lost: string[]
): Partial<StoredImage> {
  const chains = [0];
  const isLost = (i: number): boolean => lost.includes(String.fromCharCode(...(payloads[i] ?? [])));
  for (const [i, payload] of payloads.entries()) chains.push(extendChain(chains[i] as number, (zxid + i) as Zxid, payload));
  const gaps: Gap[] = [];
  const readable: Run[] = [];
  for (let i = 0, from = 0; i < payloads.length; i++) {
    if (!isLost(i)) readable.push({ zxid: (zxid + i) as Zxid, payloads: [payloads[i] as Uint8Array] });
    if (isLost(i) && !isLost(i - 1)) from = i;
    if (!isLost(i) || isLost(i + 1)) continue;
    const before = (zxid + i + 1) as Zxid;
    gaps.push({ after: (zxid + from - 1) as Zxid, before, chain: chains[from] as number, proof: chains[i + 1] as number });
  }
  const below = readable.filter((one) => one.zxid <= (gaps[0] as Gap).after);
  const salvage = { gaps, runs: readable.slice(below.length), endIsKnown };
  return { ...image(epoch, ...below), damage: `${lost} cannot be read`, salvage };
}

/** The state of an application that was given these counters of epoch 1. */
export function snapshotAt(...counters: number[]): { readonly zxid: Zxid; readonly pieces: readonly Uint8Array[] } {
  const zxids = counters.map((counter) => makeZxid(1, counter));
  return { zxid: zxids[zxids.length - 1] as Zxid, pieces: [new Uint8Array(new Float64Array(zxids).buffer)] };
}

export const leaderInfo = (epoch: number): Message => ({ type: 'LEADERINFO', epoch, ensembleId: 'test' });

/** The kinds of effects. */
export const kinds = (effects: readonly Effect[]): string[] => effects.map(({ type }) => type);

/** All servers up, one of them leading. */
export function serving(
  voters: number[],
  ...rest: ConstructorParameters<typeof TestEnsemble> extends [unknown, ...infer R] ? R : never
): TestEnsemble {
  const ensemble = new TestEnsemble(voters, ...rest);
  for (const sid of voters) ensemble.start(sid);
  ensemble.elect();
  ensemble.run();
  ensemble.lines.length = 0;
  return ensemble;
}

/** Brings a lone server to follow `leader`, whose side the test plays; gives the way to say something as the leader. */
export function followBy(ensemble: TestEnsemble, sid: Sid, leader: Sid, peerEpoch = 9): (message: Message) => void {
  const vote = { leader, zxid: makeZxid(peerEpoch, 9), peerEpoch };
  ensemble.step(sid, { type: 'notification', from: leader, notification: { state: 'LOOKING', electionEpoch: 1, vote } });
  ensemble.drop(() => true);
  expect(ensemble.peer(sid).status).toMatchObject({ state: 'FOLLOWING', leader });
  return (message) => ensemble.step(sid, { type: 'leaderMessage', channel: 1, message });
}

/** Brings a lone server to lead by the votes of others, whose side the test plays. */
export function leadBy(ensemble: TestEnsemble, sid: Sid, voters: readonly Sid[]): void {
  const { vote } = ensemble.peer(sid).role;
  for (const from of voters) {
    const input: Input = { type: 'notification', from, notification: { state: 'LOOKING', electionEpoch: 1, vote } };
    ensemble.step(sid, input);
  }
  ensemble.drop(() => true);
  expect(ensemble.peer(sid).status.state).toBe('LEADING');
}

/** Opens a learner channel to a server that leads, as another server whose side the test plays; gives the way to say something on it. */
export function joinAs(
  ensemble: TestEnsemble,
  leader: Sid,
  learner: { readonly from: Sid; readonly channel: number },
): (message: Message) => void {
  ensemble.step(leader, { type: 'learnerOpened', ...learner });
  return (message) => ensemble.step(leader, { type: 'learnerMessage', channel: learner.channel, message });
}
