/** Servers whose transports are `framed` over one byte network in memory, and what they are told. */
import { type Random, SeededRandom, VirtualClock } from '@quorate/ports';
import {
  type Channel,
  type ChannelHandler,
  type FramedOptions,
  framed,
  MemoryByteNetwork,
  type Notification,
  type Sid,
  type Transport,
  type TransportHandler,
  type WireViolation,
} from '@quorate/zab';

/** One server, which notes what it is told. */
export class Station implements TransportHandler {
  readonly heard: string[] = [];
  readonly channels: Channel[] = [];
  readonly violations: WireViolation[] = [];
  readonly notifications: Notification[] = [];
  /** Done before the next message is noted. */
  act: (() => void) | undefined;
  /** Done when the next violation is reported. */
  onViolation: (() => void) | undefined;

  get rules(): string[] {
    return this.violations.map(({ rule }) => rule);
  }

  onNotification(from: Sid, notification: Notification): void {
    this.notifications.push(notification);
    this.heard.push(`round ${notification.electionEpoch} of ${from}`);
  }

  onChannel(from: Sid, channel: Channel): ChannelHandler {
    this.heard.push(`channel of ${from}`);
    this.channels.push(channel);
    return this.handler(`${from}`);
  }

  handler(name: string): ChannelHandler {
    return {
      onMessage: (message) => {
        const { act } = this;
        this.act = undefined;
        act?.();
        this.heard.push(`${name}: ${message.type === 'SYNC' ? message.tag : message.type}`);
      },
      onClose: () => this.heard.push(`${name} closed`),
    };
  }
}

export class FramedPair {
  readonly clock = new VirtualClock();
  readonly network = new MemoryByteNetwork({ clock: this.clock });
  readonly random: Random = new SeededRandom(1);
  readonly one: Station;
  readonly two: Station;
  readonly first: Transport;
  readonly second: Transport;

  constructor(options: { readonly one?: Partial<FramedOptions>; readonly two?: Partial<FramedOptions> } = {}) {
    [this.one, this.first] = this.join(1, options.one);
    [this.two, this.second] = this.join(2, options.two);
  }

  join(sid: Sid, options: Partial<FramedOptions> = {}): [Station, Transport] {
    const station = new Station();
    const onViolation = (violation: WireViolation): void => {
      station.violations.push(violation);
      station.onViolation?.();
    };
    const transport = framed(this.network.transport(sid), { sid, clock: this.clock, random: this.random, onViolation, ...options });
    transport.start(station);
    return [station, transport];
  }

  /** Everything that is on its way arrives. */
  settle(): void {
    this.clock.advance(0);
  }
}

export const sync = (tag: number) => ({ type: 'SYNC', tag }) as const;

export const round = (electionEpoch: number): Notification => ({
  state: 'LOOKING',
  electionEpoch,
  vote: { leader: 1, zxid: 0 as Notification['vote']['zxid'], peerEpoch: 0 },
});
