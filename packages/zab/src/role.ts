import type { ServerState } from './application.js';
import type { Sid } from './config.js';
import type { ChannelId, Input, TimerName } from './io.js';
import type { Run } from './log.js';
import type { Message, Notification, Vote } from './messages.js';
import type { Peer } from './peer.js';

/**
 * What a server does in one of ZooKeeper's states. A role is made for its state and dropped with it, so there is nothing to
 * reset. Which handlers a role leaves empty is part of the protocol's description.
 */
export interface Role {
  readonly name: ServerState;
  /** What this server answers to one that is looking. */
  readonly vote: Vote;
  enter(): void;
  onNotification(from: Sid, notification: Notification): void;
  onLearnerOpened(from: Sid, channel: ChannelId): void;
  onLearnerMessage(channel: ChannelId, message: Message): void;
  onLearnerClosed(channel: ChannelId): void;
  onLeaderMessage(channel: ChannelId, message: Message): void;
  onLeaderClosed(channel: ChannelId): void;
  /** More of what was ordered is durable; `count` orders of the lane have completed. */
  onDurable(count: number): void;
  onTimer(name: TimerName): void;
  propose(payloads: readonly Uint8Array[]): void;
  request(payload: Uint8Array): void;
  revalidate(payload: Uint8Array): void;
  answerRevalidate(to: Sid, payload: Uint8Array): void;
  heartbeat(round: number, payload: Uint8Array): void;
  sync(tag: number): void;
  onRoom(channel: ChannelId): void;
  onSnapshotRead(piece: Input & { readonly type: 'snapshotRead' }): void;
  onLogRead(channel: ChannelId, runs: readonly Run[] | undefined): void;
  onPaused(): void;
  handOver(to: Sid | undefined): void;
  /** Closes what the role has opened. */
  leave(): void;
  /** Everything that the role knows, as one plain record. */
  readonly state: object;
  /** The same role of a copied peer. */
  clone(peer: Peer): Role;
}
