/** The contract suite of `Transport`: sound transports keep every clause, and each broken one breaks one. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { type TransportWorld, transportContract, transportSuite } from '@quorate/testkit';
import {
  type Channel,
  type ChannelHandler,
  framed,
  MemoryByteNetwork,
  MemoryNetwork,
  MemoryPeerStreams,
  type Sid,
  type Transport,
  type TransportHandler,
  zookeeperWire,
} from '@quorate/zab';
import { describe, expect, test } from 'vitest';

/** A network within the process, whose time passes when a test waits. */
class VirtualWorld implements TransportWorld {
  readonly clock = new VirtualClock();
  readonly #made: Transport[] = [];
  readonly #make: (sid: Sid, clock: VirtualClock) => Transport;

  constructor(make: (clock: VirtualClock) => (sid: Sid) => Transport) {
    this.#make = make(this.clock);
  }

  transport(sid: Sid): Transport {
    const transport = this.#make(sid, this.clock);
    this.#made.push(transport);
    return transport;
  }

  async until(holds: () => boolean): Promise<void> {
    for (let i = 0; i < 1_000; i++) {
      this.clock.advance(i < 500 ? 0 : 20);
      if (holds()) return;
    }
    throw new Error('what was awaited never came');
  }

  async settle(): Promise<void> {
    this.clock.advance(100);
  }

  close(): void {
    for (const transport of this.#made) transport.stop();
  }
}

const memory = (clock: VirtualClock) => {
  const network = new MemoryNetwork({ clock });
  return (sid: Sid) => network.transport(sid);
};

const sound: Record<string, (clock: VirtualClock) => (sid: Sid) => Transport> = {
  memory,
  framed: (clock) => {
    const network = new MemoryByteNetwork({ clock });
    const random = new SeededRandom(1);
    return (sid) => framed(network.transport(sid), { sid, clock, random });
  },
  zookeeperWire: (clock) => {
    const network = new MemoryByteNetwork({ clock });
    const random = new SeededRandom(1);
    return (sid) => {
      const streams = new MemoryPeerStreams(network, sid);
      return zookeeperWire(streams, { sid, peers: [1, 2, 3], electionAddress: `${sid}:3888`, configText: 'version=0', clock, random });
    };
  },
};

for (const [name, make] of Object.entries(sound)) {
  describe(name, () => transportSuite({ test, world: () => new VirtualWorld(make) }));
}

/** Changes one thing about a sound transport. */
interface Spoiler {
  channel?(channel: Channel): Channel;
  handler?(handler: ChannelHandler): ChannelHandler;
  transport?(transport: Transport): Transport;
}

function spoiled(spoiler: Spoiler): (clock: VirtualClock) => (sid: Sid) => Transport {
  const { channel: onChannel = (c) => c, handler: onHandler = (h) => h, transport: onTransport = (t) => t } = spoiler;
  return (clock) => {
    const make = memory(clock);
    return (sid) => {
      const inner = make(sid);
      return onTransport({
        start: (handler: TransportHandler) =>
          inner.start({
            onNotification: (from, notification) => handler.onNotification(from, notification),
            onChannel: (from, channel) => onHandler(handler.onChannel(from, onChannel(channel))),
          }),
        notify: (to, notification) => inner.notify(to, notification),
        open: (to, handler) => onChannel(inner.open(to, onHandler(handler))),
        stop: () => inner.stop(),
      });
    };
  };
}

/** A channel whose methods may be replaced. */
const like = (channel: Channel, changed: Partial<Channel>): Channel => ({
  send: (message) => channel.send(message),
  awaitRoom: (ready) => channel.awaitRoom(ready),
  close: () => channel.close(),
  ...changed,
});

const broken: Record<string, () => Spoiler> = {
  'loses a message': () => {
    let sent = 0;
    return { channel: (channel) => like(channel, { send: (message) => (++sent === 100 ? undefined : channel.send(message)) }) };
  },
  'repeats a message': () => {
    let sent = 0;
    return {
      channel: (channel) =>
        like(channel, {
          send: (message) => {
            channel.send(message);
            if (++sent === 100) channel.send(message);
          },
        }),
    };
  },
  'lets one message overtake another': () => ({
    handler: (handler) => {
      let count = 0;
      let held: Parameters<ChannelHandler['onMessage']>[0] | undefined;
      return {
        onMessage: (message) => {
          count++;
          if (count === 50) {
            held = message;
            return;
          }
          handler.onMessage(message);
          if (held !== undefined) handler.onMessage(held);
          held = undefined;
        },
        onClose: () => handler.onClose(),
      };
    },
  }),
  'cuts large payloads short': () => ({
    channel: (channel) =>
      like(channel, {
        send: (message) =>
          channel.send(message.type === 'REQUEST' ? { ...message, payload: message.payload.subarray(0, 1024 * 1024) } : message),
      }),
  }),
  'tells nobody of a close': () => ({ handler: (handler) => ({ onMessage: (message) => handler.onMessage(message), onClose: () => {} }) }),
  'tells of a close twice': () => ({
    handler: (handler) => ({
      onMessage: (message) => handler.onMessage(message),
      onClose: () => {
        handler.onClose();
        handler.onClose();
      },
    }),
  }),
  'drops what was sent before a close': () => ({
    channel: (channel) => {
      const waiting: Parameters<Channel['send']>[0][] = [];
      return like(channel, {
        send: (message) => {
          if (message.type !== 'SYNC') return channel.send(message);
          waiting.push(message);
          channel.awaitRoom(() => {
            for (const late of waiting.splice(0)) channel.send(late);
          });
        },
      });
    },
  }),
  'delivers after this end has closed': () => {
    let told: ChannelHandler | undefined;
    return {
      handler: (handler) => {
        told ??= handler;
        return handler;
      },
      channel: (channel) =>
        like(channel, {
          close: () => {
            channel.close();
            const late = told;
            told = undefined;
            if (late !== undefined) queueMicrotask(() => late.onMessage({ type: 'UPTODATE' }));
          },
        }),
    };
  },
  'calls back at once': () => ({ channel: (channel) => like(channel, { awaitRoom: (ready) => ready() }) }),
  'never has room': () => ({ channel: (channel) => like(channel, { awaitRoom: () => {} }) }),
  'confuses the channels of one server': () => {
    let first: ChannelHandler | undefined;
    return {
      handler: (handler) => {
        first ??= handler;
        const chosen = first;
        return {
          onMessage: (message) => (message.type === 'SYNC' ? chosen : handler).onMessage(message),
          onClose: () => handler.onClose(),
        };
      },
    };
  },
  'has no notifications': () => ({ transport: (transport) => ({ ...transport, notify: () => {} }) }),
  'sends the oldest notification for ever': () => ({
    transport: (transport) => {
      let first: Parameters<Transport['notify']>[1] | undefined;
      return {
        ...transport,
        notify: (to, notification) => {
          first ??= notification;
          transport.notify(to, first);
        },
      };
    },
  }),
  'goes on after stop': () => ({ transport: (transport) => ({ ...transport, stop: () => {} }) }),
};

describe('is told apart: a transport that', () => {
  for (const [name, spoiler] of Object.entries(broken)) {
    test(name, async () => {
      const failed: string[] = [];
      for (const clause of transportContract) {
        const world = new VirtualWorld(spoiled(spoiler()));
        await clause.check(world).then(
          () => {},
          () => failed.push(clause.name),
        );
      }
      expect(failed).not.toEqual([]);
    });
  }

  test('… but the same with nothing spoiled keeps every clause', async () => {
    for (const clause of transportContract) await clause.check(new VirtualWorld(spoiled({})));
  });
});
