/** The learner channels of one server over its transport, under the numbers by which the core knows them. */
import type { Sid } from './config.js';
import type { ChannelId, Input } from './io.js';
import type { Message } from './messages.js';
import type { SnapshotReader } from './snapshot-reader.js';
import type { Channel, ChannelHandler, Transport } from './transport.js';

/** A channel that a learner has opened. */
interface LearnerChannel {
  readonly channel: Channel;
  /** The snapshot that is being sent on it. */
  snapshot: SnapshotReader | undefined;
}

export class Channels {
  readonly #transport: Transport;
  readonly #take: (input: Input) => void;
  readonly #learners = new Map<ChannelId, LearnerChannel>();
  #nextLearner = 1;
  #leader: { readonly id: ChannelId; readonly channel: Channel } | undefined;

  /** @param take is told of everything that comes. */
  constructor(transport: Transport, take: (input: Input) => void) {
    this.#transport = transport;
    this.#take = take;
  }

  // To the leader

  openToLeader(to: Sid, id: ChannelId): void {
    const channel = this.#transport.open(to, {
      onMessage: (message) => this.#take({ type: 'leaderMessage', channel: id, message }),
      onClose: () => this.#take({ type: 'leaderClosed', channel: id }),
    });
    this.#leader = { id, channel };
  }

  sendToLeader(id: ChannelId, message: Message): void {
    if (this.#leader?.id === id) this.#leader.channel.send(message);
  }

  closeToLeader(id: ChannelId): void {
    if (this.#leader?.id !== id) return;
    this.#leader.channel.close();
    this.#leader = undefined;
  }

  // To the learners

  accept(from: Sid, channel: Channel): ChannelHandler {
    const id = this.#nextLearner++;
    this.#learners.set(id, { channel, snapshot: undefined });
    this.#take({ type: 'learnerOpened', from, channel: id });
    return {
      onMessage: (message: Message) => this.#take({ type: 'learnerMessage', channel: id, message }),
      onClose: () => {
        if (this.#forget(id) !== undefined) this.#take({ type: 'learnerClosed', channel: id });
      },
    };
  }

  sendToLearner(id: ChannelId, message: Message): void {
    this.#learners.get(id)?.channel.send(message);
  }

  closeToLearner(id: ChannelId): void {
    this.#forget(id)?.channel.close();
  }

  awaitRoom(id: ChannelId): void {
    this.#learners.get(id)?.channel.awaitRoom(() => this.#take({ type: 'room', channel: id }));
  }

  /** Gives the next piece of the snapshot that goes to this learner; `begin` makes one where none has been begun. */
  readSnapshot(id: ChannelId, begin: () => SnapshotReader): void {
    const learner = this.#learners.get(id);
    if (learner === undefined) return;
    learner.snapshot ??= begin();
    const { zxid } = learner.snapshot;
    const { bytes, last } = learner.snapshot.read();
    if (last) learner.snapshot = undefined;
    this.#take({ type: 'snapshotRead', channel: id, zxid, bytes, last });
  }

  #forget(id: ChannelId): LearnerChannel | undefined {
    const learner = this.#learners.get(id);
    this.#learners.delete(id);
    learner?.snapshot?.close();
    return learner;
  }
}
