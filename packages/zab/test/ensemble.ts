/**
 * A few state machines joined by hand, for transcripts: every message, order and timer is a line of text, and nothing happens
 * that the test did not ask for. Storage completes at once unless a server's is held back.
 */
import { counterOf, epochOf, type Zxid } from '@quorate/protocol';
import {
  type ChannelId,
  type Config,
  DEFAULT_LIMITS,
  type Effect,
  type Input,
  type Limits,
  type Mark,
  type Message,
  Peer,
  type Run,
  type Sid,
  type StoredImage,
  type TimerName,
} from '@quorate/zab';

const MARK: Mark = { ensembleId: 'test' };
const EMPTY: StoredImage = { acceptedEpoch: 0, currentEpoch: 0, snapshot: undefined, runs: [], mark: MARK };
/** What an observer, or a voter whose disk was lost, begins with. */
export const BLANK: StoredImage = { ...EMPTY, mark: undefined };
/** How many txns one piece of a snapshot of the tests has. */
const PIECE_TXNS = 2;

interface Member {
  peer: Peer;
  readonly delivered: Zxid[];
  readonly timers: Map<TimerName, number>;
  /** Every one that was set, in order. */
  readonly timersSet: TimerName[];
  /** The store, as far as it is flushed. */
  image: StoredImage;
  /** Orders of the log lane that wait for `flush`; undefined where each completes at once. */
  held: Effect[] | undefined;
  readonly sentToLeader: Message[];
  /** What is left of the snapshots that are being read, by channel. */
  /** Whether it serves as the leader, as its application knows. */
  leads: boolean;
  readonly snapshots: Map<ChannelId, { readonly zxid: Zxid; readonly left: Uint8Array[] }>;
}

interface Packet {
  readonly to: Sid;
  readonly line: string;
  readonly input: Input;
}

export class TestEnsemble {
  readonly lines: string[] = [];
  readonly #members = new Map<Sid, Member>();
  readonly #config: Config;
  readonly #limits: Limits;
  #wire: Packet[] = [];
  #performed = 0;
  #crashAt = Number.POSITIVE_INFINITY;
  /** Channels at the leader: the key is `learner:id at the learner`. */
  readonly #channels = new Map<string, { readonly id: ChannelId; readonly leader: Sid; readonly learner: Sid; readonly near: ChannelId }>();
  #nextChannel = 1;

  constructor(voters: readonly Sid[], rest: Pick<Config, 'observers' | 'groups'> = {}, limits: Partial<Limits> = {}) {
    this.#config = { version: 0, voters, ...rest };
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Starts a server, from an image or from what its store holds. A store is marked unless the image says otherwise. */
  start(sid: Sid, given: Partial<StoredImage> = this.#members.get(sid)?.image ?? EMPTY): void {
    this.note(`start ${sid}`);
    const image: StoredImage = { ...EMPTY, ...given };
    const peer = Peer.recover({
      sid,
      config: this.#config,
      timing: { tickTimeMs: 100, initLimit: 10, syncLimit: 5 },
      limits: this.#limits,
      image,
    });
    const delivered = image.snapshot === undefined ? [] : zxidsOf(image.snapshot.pieces);
    this.#members.set(sid, {
      peer,
      delivered,
      timers: new Map(),
      timersSet: [],
      image,
      held: undefined,
      sentToLeader: [],
      leads: false,
      snapshots: new Map(),
    });
    this.step(sid, { type: 'start' });
  }

  /** Drops a server with all that is not flushed; its peers see their channels close. */
  crash(sid: Sid): void {
    this.note(`crash ${sid}`);
    const member = this.#member(sid);
    member.held = [];
    for (const [key, channel] of this.#channels) {
      if (channel.leader !== sid && channel.learner !== sid) continue;
      this.#channels.delete(key);
      if (channel.leader === sid)
        this.#send(channel.learner, `${sid} → ${channel.learner} close`, { type: 'leaderClosed', channel: channel.near });
      else this.#send(channel.leader, `${sid} → ${channel.leader} close`, { type: 'learnerClosed', channel: channel.id });
    }
    this.#wire = this.#wire.filter((packet) => packet.to !== sid);
    this.#crashed.add(sid);
  }

  readonly #crashed = new Set<Sid>();

  /** Starts a server that has crashed, from what its store holds, or from an image. */
  restart(sid: Sid, image?: Partial<StoredImage>): void {
    this.#crashed.delete(sid);
    this.start(sid, image);
  }

  peer(sid: Sid): Peer {
    return this.#member(sid).peer;
  }

  delivered(sid: Sid): readonly Zxid[] {
    return this.#member(sid).delivered;
  }

  /** All that a learner has sent to its leaders. */
  sentToLeader(sid: Sid): readonly Message[] {
    return this.#member(sid).sentToLeader;
  }

  /** The leader's number of a learner's channel. */
  channelOf(learner: Sid): ChannelId {
    for (const channel of this.#channels.values()) if (channel.learner === learner) return channel.id;
    throw new Error(`server ${learner} has no channel`);
  }

  image(sid: Sid): StoredImage {
    return this.#member(sid).image;
  }

  leader(): Sid | undefined {
    for (const [sid, { peer }] of this.#members) {
      if (!this.#crashed.has(sid) && peer.status.state === 'LEADING' && peer.status.serving) return sid;
    }
    return undefined;
  }

  /** A comment in the transcript. */
  note(text: string): void {
    this.lines.push(`# ${text}`);
  }

  step(sid: Sid, input: Input): void {
    if (this.#crashed.has(sid)) return;
    const { peer } = this.#member(sid);
    peer.step(input);
    peer.invariants();
    const effects = peer.effects.splice(0);
    for (const effect of effects) {
      if (this.#crashed.has(sid)) return;
      if (++this.#performed === this.#crashAt) this.crash(sid);
      else this.#perform(sid, effect);
    }
  }

  /** How many effects were performed, over all servers. */
  get performed(): number {
    return this.#performed;
  }

  /** The server that is about to perform the effect of this number crashes instead. */
  crashAt(number: number): void {
    this.#crashAt = number;
  }

  isUp(sid: Sid): boolean {
    return !this.#isDown(sid);
  }

  /** Delivers everything and lets timers fire until a leader serves and everybody that is up follows it, or nothing helps any more. */
  settle(): void {
    for (let round = 0; round < 40; round++) {
      this.run();
      const up = [...this.#members].filter(([sid]) => this.isUp(sid));
      const { epoch } = this.leader() === undefined ? { epoch: -1 } : this.peer(this.leader() as Sid).status;
      if (up.every(([, { peer }]) => peer.status.serving && peer.status.epoch === epoch && (peer.status.votes || !this.#isVoter(peer.sid))))
        return;
      for (const [sid, { timers }] of up) {
        const name = (['finalize', 'election', 'tick', 'init'] as const).find(
          (one) => timers.has(one) && (one !== 'init' || round % 8 === 7),
        );
        if (name !== undefined && this.isUp(sid)) this.fire(sid, name);
      }
    }
  }

  propose(sid: Sid, ...texts: string[]): void {
    this.note(`${sid} proposes ${texts.join(', ')}`);
    this.step(sid, { type: 'propose', payloads: texts.map((text) => Uint8Array.from(text, (c) => c.charCodeAt(0))) });
  }

  fire(sid: Sid, name: TimerName): void {
    if (!this.#member(sid).timers.delete(name)) throw new Error(`server ${sid} has no timer ${name}`);
    this.note(`${name} of ${sid} fires`);
    this.step(sid, { type: 'timer', name });
  }

  hasTimer(sid: Sid, name: TimerName): boolean {
    return this.#member(sid).timers.has(name);
  }

  /** How often a server has set a timer. */
  timesSet(sid: Sid, name: TimerName): number {
    return this.#member(sid).timersSet.filter((set) => set === name).length;
  }

  /** From now on the log lane of a server completes only by `flush`. */
  hold(sid: Sid): void {
    this.#member(sid).held ??= [];
  }

  /** Completes the oldest orders of a held log lane; all of them when no count is given. */
  flush(sid: Sid, count = Number.POSITIVE_INFINITY): void {
    const member = this.#member(sid);
    const done = member.held?.splice(0, count) ?? [];
    for (const effect of done) {
      this.lines.push(`  ${sid} flushed ${describeEffect(effect)}`);
      member.image = applied(member.image, effect);
    }
    if (done.length > 0) this.step(sid, { type: 'completed', count: done.length });
  }

  heldOrders(sid: Sid): readonly Effect[] {
    return this.#member(sid).held ?? [];
  }

  /** Delivers messages, oldest first, until none is left or `until` holds. Returns how many were delivered. */
  run(until: () => boolean = () => false): number {
    let count = 0;
    while (this.#wire.length > 0 && !until()) {
      this.#deliver(this.#wire.shift() as Packet);
      if (++count > 10_000) throw new Error('the ensemble does not come to rest');
    }
    return count;
  }

  /** Delivers everything and lets `finalize` timers fire until a leader serves. */
  elect(): Sid {
    for (let round = 0; round < 20; round++) {
      this.run();
      const leader = this.leader();
      if (leader !== undefined) return leader;
      for (const [sid, { timers }] of this.#members) {
        if (this.#crashed.has(sid)) continue;
        if (timers.has('finalize')) this.fire(sid, 'finalize');
        else if (timers.has('election')) this.fire(sid, 'election');
      }
    }
    throw new Error('no leader was elected');
  }

  /** Drops what is on its way to a server and was described so. */
  drop(matches: (line: string) => boolean): void {
    this.#wire = this.#wire.filter((packet) => {
      if (!matches(packet.line)) return true;
      this.lines.push(`  lost: ${packet.line}`);
      return false;
    });
  }

  #deliver(packet: Packet): void {
    if (this.#isDown(packet.to)) return;
    this.lines.push(`  ${packet.line}`);
    this.step(packet.to, packet.input);
  }

  #isDown(sid: Sid): boolean {
    return this.#crashed.has(sid) || !this.#members.has(sid);
  }

  #send(to: Sid, line: string, input: Input): void {
    this.#wire.push({ to, line, input });
  }

  #perform(sid: Sid, effect: Effect): void {
    const member = this.#member(sid);
    switch (effect.type) {
      case 'notify': {
        const { state, electionEpoch, vote } = effect.notification;
        const line = `${sid} → ${effect.to} ${state} round ${electionEpoch} vote ${vote.leader} (${format(vote.zxid)} of epoch ${vote.peerEpoch})`;
        this.#send(effect.to, line, { type: 'notification', from: sid, notification: effect.notification });
        return;
      }
      case 'openToLeader': {
        const id = this.#nextChannel++;
        if (this.#isDown(effect.to)) {
          this.#send(sid, `${effect.to} → ${sid} refused`, { type: 'leaderClosed', channel: effect.channel });
          return;
        }
        this.#channels.set(`${sid}:${effect.channel}`, { id, leader: effect.to, learner: sid, near: effect.channel });
        this.#send(effect.to, `${sid} → ${effect.to} open`, { type: 'learnerOpened', from: sid, channel: id });
        return;
      }
      case 'sendToLeader': {
        member.sentToLeader.push(effect.message);
        const channel = this.#channels.get(`${sid}:${effect.channel}`);
        if (channel === undefined) return;
        const line = `${sid} → ${channel.leader} ${describe(effect.message)}`;
        this.#send(channel.leader, line, { type: 'learnerMessage', channel: channel.id, message: effect.message });
        return;
      }
      case 'closeToLeader': {
        const key = `${sid}:${effect.channel}`;
        const channel = this.#channels.get(key);
        if (channel === undefined || !this.#channels.delete(key)) return;
        this.#send(channel.leader, `${sid} → ${channel.leader} close`, { type: 'learnerClosed', channel: channel.id });
        return;
      }
      case 'sendToLearner': {
        const channel = this.#atLeader(sid, effect.channel);
        if (channel === undefined) return;
        const line = `${sid} → ${channel.learner} ${describe(effect.message)}`;
        this.#send(channel.learner, line, { type: 'leaderMessage', channel: channel.near, message: effect.message });
        return;
      }
      case 'closeToLearner': {
        const channel = this.#atLeader(sid, effect.channel);
        if (channel === undefined) return;
        this.#channels.delete(`${channel.learner}:${channel.near}`);
        this.#send(channel.learner, `${sid} → ${channel.learner} close`, { type: 'leaderClosed', channel: channel.near });
        return;
      }
      case 'append':
      case 'truncate':
      case 'saveAcceptedEpoch':
      case 'saveCurrentEpoch':
      case 'installSnapshot':
      case 'mend':
      case 'saveMark':
        this.lines.push(`  ${sid} orders ${describeEffect(effect)}`);
        if (member.held !== undefined) {
          member.held.push(effect);
          return;
        }
        member.image = applied(member.image, effect);
        this.#send(sid, `${sid} flushed ${describeEffect(effect)}`, { type: 'completed', count: 1 });
        return;
      case 'setTimer':
        member.timers.set(effect.name, effect.ms);
        member.timersSet.push(effect.name);
        return;
      case 'cancelTimer':
        member.timers.delete(effect.name);
        return;
      case 'deliver':
        this.lines.push(`  ${sid} delivers ${describeRun(effect.run)}`);
        effect.run.payloads.forEach((_, i) => void member.delivered.push((effect.run.zxid + i) as Zxid));
        return;
      case 'restore': {
        this.lines.push(`  ${sid} restores the snapshot at ${format(effect.snapshot.zxid)}`);
        member.delivered.splice(0, member.delivered.length, ...zxidsOf(effect.snapshot.pieces));
        return;
      }
      case 'status': {
        const { state, leader, epoch, serving, votes } = effect.status;
        const whom = leader === undefined || leader === sid ? '' : ` ${leader}`;
        const pauses = state === 'LEADING' && member.leads && !serving;
        this.lines.push(
          `  ${sid} is ${state}${whom}${serving ? `, serving in epoch ${epoch}` : ''}${pauses ? ', and makes a pause' : ''}${this.#isVoter(sid) && !votes ? ', without a vote' : ''}`,
        );
        member.leads = state === 'LEADING' && serving;
        if (pauses) this.#send(sid, `${sid} has paused`, { type: 'paused' });
        return;
      }
      case 'awaitRoom':
        this.#send(sid, `${sid} has room`, { type: 'room', channel: effect.channel });
        return;
      case 'readSnapshot':
        this.#readSnapshot(sid, effect.channel);
        return;
      case 'readLog': {
        const runs = readLog(member.image, effect.after);
        this.lines.push(`  ${sid} reads its log above ${format(effect.after)}: ${runs?.map(describeRun).join(' ') ?? 'not there'}`);
        this.#send(sid, `${sid} has read`, { type: 'logRead', channel: effect.channel, runs });
        return;
      }
      case 'heartbeat':
        this.step(sid, { type: 'heartbeat', round: effect.round, payload: new Uint8Array() });
        return;
      case 'synced':
        this.lines.push(`  ${sid} synced ${effect.tag}`);
        return;
      case 'request':
      case 'revalidate':
      case 'heartbeatReceived':
        this.lines.push(`  ${sid} got ${effect.type} of ${effect.from}`);
    }
  }

  #readSnapshot(sid: Sid, channel: ChannelId): void {
    const { delivered, snapshots } = this.#member(sid);
    const zxid = delivered[delivered.length - 1] ?? (0 as Zxid);
    const snapshot = snapshots.get(channel) ?? { zxid, left: piecesOf(delivered) };
    snapshots.set(channel, snapshot);
    const bytes = snapshot.left.shift() ?? new Uint8Array(0);
    const last = snapshot.left.length === 0;
    if (last) snapshots.delete(channel);
    this.step(sid, { type: 'snapshotRead', channel, zxid: snapshot.zxid, bytes, last });
  }

  #isVoter(sid: Sid): boolean {
    return this.#config.voters.includes(sid);
  }

  #atLeader(leader: Sid, id: ChannelId) {
    for (const channel of this.#channels.values()) if (channel.leader === leader && channel.id === id) return channel;
    return undefined;
  }

  #member(sid: Sid): Member {
    const member = this.#members.get(sid);
    if (member === undefined) throw new Error(`server ${sid} was never started`);
    return member;
  }
}

/** The state of an application of the tests: the zxids of what it was given. */
function piecesOf(delivered: readonly Zxid[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < delivered.length; i += PIECE_TXNS) {
    pieces.push(new Uint8Array(new Float64Array(delivered.slice(i, i + PIECE_TXNS)).buffer));
  }
  return pieces;
}

function zxidsOf(pieces: readonly Uint8Array[]): Zxid[] {
  return pieces.flatMap((piece) => Array.from(new Float64Array(piece.slice().buffer)) as Zxid[]);
}

/** What the storage has above a place: one run at a time, so that there is something to be continued. */
function readLog({ runs, snapshot }: StoredImage, after: Zxid): Run[] | undefined {
  const places = runs.flatMap((run) => run.payloads.map((_, i) => run.zxid + i));
  if (!places.includes(after) && after !== (snapshot?.zxid ?? 0)) return undefined;
  const next = runs.find((run) => run.zxid + run.payloads.length - 1 > after);
  if (next === undefined) return [];
  const skipped = Math.max(0, after - next.zxid + 1);
  return [{ zxid: (next.zxid + skipped) as Zxid, payloads: next.payloads.slice(skipped) }];
}

function repaired({ acceptedEpoch, currentEpoch, snapshot, runs, mark }: StoredImage): StoredImage {
  return { acceptedEpoch, currentEpoch, snapshot, runs, mark };
}

/** What a store holds after one more order. */
function applied(before: StoredImage, effect: Effect): StoredImage {
  const repairs = effect.type === 'truncate' || effect.type === 'installSnapshot' || effect.type === 'mend';
  const image = repairs ? repaired(before) : before;
  switch (effect.type) {
    case 'append':
      return { ...image, runs: [...image.runs, effect.run] };
    case 'truncate':
      return { ...image, runs: image.runs.flatMap((run) => cut(run, effect.zxid)) };
    case 'saveAcceptedEpoch':
      return { ...image, acceptedEpoch: effect.epoch };
    case 'saveCurrentEpoch':
      return { ...image, currentEpoch: effect.epoch };
    case 'installSnapshot':
      return { ...image, snapshot: effect.snapshot, runs: [...effect.runs] };
    case 'mend':
      return { ...image, runs: [...image.runs, ...effect.runs] };
    case 'saveMark':
      return { ...image, mark: effect.mark };
    default:
      return image;
  }
}

function cut(run: Run, zxid: Zxid): Run[] {
  const kept = Math.min(run.payloads.length, zxid - run.zxid + 1);
  return kept <= 0 ? [] : [{ zxid: run.zxid, payloads: run.payloads.slice(0, kept) }];
}

export function format(zxid: Zxid): string {
  return zxid < 0 ? 'nothing' : `${epochOf(zxid)}.${counterOf(zxid)}`;
}

function describeRun(run: Run): string {
  const texts = run.payloads.map((payload) => String.fromCharCode(...payload)).join(',');
  return `${format(run.zxid)}[${texts}]`;
}

function describe(message: Message): string {
  switch (message.type) {
    case 'FOLLOWERINFO':
    case 'OBSERVERINFO':
      return `${message.type} acceptedEpoch ${message.acceptedEpoch}`;
    case 'LEADERINFO':
    case 'NEWLEADER':
      return `${message.type} epoch ${message.epoch}`;
    case 'ACKEPOCH':
      return `ACKEPOCH currentEpoch ${message.currentEpoch} lastZxid ${format(message.lastZxid)}`;
    case 'TRUNC':
    case 'SNAP':
    case 'ACK':
    case 'COMMIT':
      return `${message.type} ${format(message.zxid)}`;
    case 'PIECE':
      return `PIECE of ${message.bytes.length} bytes${message.last ? ', the last' : ''}`;
    case 'HANDOVER':
      return `HANDOVER to ${message.leader}`;
    case 'PROPOSAL':
    case 'INFORM':
      return `${message.type} ${describeRun(message.run)}`;
    case 'PING':
      return `PING ${message.round}`;
    case 'SYNC':
      return `SYNC ${message.tag}`;
    case 'MEND':
      return `MEND above ${format(message.after)}, below ${format(message.before)}`;
    case 'FOUND':
      return `FOUND ${message.runs.map(describeRun).join(' ') || 'nothing'}${message.more ? ' and more' : ''}, end ${format(message.end)}`;
    default:
      return message.type;
  }
}

function describeEffect(effect: Effect): string {
  switch (effect.type) {
    case 'append':
      return `append ${describeRun(effect.run)}`;
    case 'truncate':
      return `truncate to ${format(effect.zxid)}`;
    case 'saveAcceptedEpoch':
      return `acceptedEpoch ${effect.epoch}`;
    case 'saveCurrentEpoch':
      return `currentEpoch ${effect.epoch}`;
    case 'installSnapshot':
      return ['snapshot', format(effect.snapshot.zxid), ...effect.runs.map(describeRun)].join(' ');
    case 'mend':
      return ['mend', ...effect.runs.map(describeRun)].join(' ');
    case 'saveMark':
      return effect.mark === undefined ? 'no mark' : 'mark';
    default:
      return effect.type;
  }
}
