import { decodeUtf8 } from '@quorate/protocol';
import { type GroupView, Membership } from '@quorate/recipes';
import type { Actor, Scenario, Stage } from '../stage/stage.js';
import { millis } from '../world/random-streams.js';
import { judgeNothingLeft } from './nothing-left.js';

const PATH = '/groups/one';

/** Members come, go and die, and others look on: in the end everybody sees the same, and it is what is there. */
export const groupScenario: Scenario = {
  name: 'group',
  async play(stage) {
    await Promise.all([
      ...['a', 'b', 'c'].map((name) => stage.cast(name, (actor) => comeAndGo(stage, actor))),
      ...['viewer-a', 'viewer-b'].map((name) => stage.cast(name, (actor) => lookOn(stage, actor))),
      // If it could lose its session, there would be a moment at which nobody is there, and somebody might look then.
      stage.cast('last', (actor) => comeToStay(stage, actor), { unharmed: true }),
    ]);
    await judgeNothingLeft(stage, PATH);
  },
};

async function comeAndGo(stage: Stage, { name, id, client, random, over, pause }: Actor): Promise<void> {
  const group = new Membership(client, PATH);
  while (!over.aborted) {
    const joined = await group.join(name, { data: id });
    await pause(millis(random, 0, stage.sessionTimeoutMs / 4), joined.signal);
    await joined.update(`${id} again`);
    await pause(millis(random, 0, stage.sessionTimeoutMs / 4), joined.signal);
    await joined.release();
    await pause(millis(random, 0, stage.sessionTimeoutMs / 4), over);
  }
}

/** It comes when nothing goes wrong any more, and is there until everybody has looked. */
async function comeToStay(stage: Stage, { name, client, over, pause }: Actor): Promise<void> {
  while (!over.aborted) await pause(stage.sessionTimeoutMs, over);
  const joined = await new Membership(client, PATH).join(name, { data: 'to stay' });
  await pause(stage.sessionTimeoutMs * 6);
  await joined.release();
}

async function lookOn(stage: Stage, { id, client, over, pause }: Actor): Promise<void> {
  await using view = await new Membership(client, PATH).view();
  const told = new Map(view.members.map((member) => [member.id, member.changed]));
  const loop = followChanges(stage, view, told);
  while (!over.aborted) await pause(stage.sessionTimeoutMs, over);
  // The sessions of those who have died are over by then, and the last one has come to stay.
  await pause(stage.sessionTimeoutMs * 2);
  await client.sync();
  await pause(1);
  const seen = view.members.map((member) => `${member.id} ${decodeUtf8(member.data)}`);
  if (seen.join() !== 'last to stay') stage.fail('Convergence', `${id} sees ${seen.join(', ') || 'nobody'} in the end`);
  const known = JSON.stringify([...told].sort());
  const there = JSON.stringify(view.members.map((member) => [member.id, member.changed]));
  if (known !== there) stage.fail('Changes', `${id} was told of changes to ${known}, and sees ${there}`);
  await view[Symbol.asyncDispose]();
  await loop;
}

/** What the changes make of the members that there were. */
async function followChanges(stage: Stage, view: GroupView, told: Map<string, number>): Promise<void> {
  for await (const change of view.changes) {
    if (change.type === 'MISSED') continue;
    const { id, changed } = change.member;
    if ((change.type === 'JOINED') === told.has(id))
      stage.fail('Changes', `${id} has ${change.type}, and was ${told.has(id) ? '' : 'not '}a member`);
    stage.seen(`member ${change.type}`);
    if (change.type === 'LEFT') told.delete(id);
    else told.set(id, changed);
  }
}
