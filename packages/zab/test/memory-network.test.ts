import { VirtualClock } from '@quorate/ports';
import { type Channel, type ChannelHandler, MemoryNetwork, type Sid, type TransportHandler } from '@quorate/zab';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** One server of the network, which notes what it is told. */
class Station implements TransportHandler {
  readonly heard: string[] = [];
  readonly channels: Channel[] = [];
  /** Done once, before the next message is noted. */
  act: (() => void) | undefined;

  onNotification(from: Sid): void {
    this.heard.push(`notification of ${from}`);
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

function network() {
  const clock = new VirtualClock();
  const net = new MemoryNetwork({ clock });
  const [one, two] = [new Station(), new Station()];
  const [first, second] = [net.transport(1), net.transport(2)];
  first.start(one);
  second.start(two);
  return { clock, net, one, two, first, second };
}

const sync = (tag: number) => ({ type: 'SYNC', tag }) as const;

test('a channel delivers a prefix, in order, in both directions, and both ends learn of its end', () => {
  const { clock, one, two, first } = network();
  const channel = first.open(2, one.handler('to 2'));
  channel.send(sync(1));
  channel.send(sync(2));
  expect(two.heard).toEqual([]);
  clock.advance(0);
  two.channels[0]?.send(sync(3));
  clock.advance(0);
  channel.send(sync(4));
  channel.close();
  channel.send(sync(5));
  two.channels[0]?.send(sync(6));
  clock.advance(0);
  expect(two.heard).toEqual(['channel of 1', '1: 1', '1: 2', '1: 4', '1 closed']);
  expect(one.heard).toEqual(['to 2: 3']);
});

test('a server that is not there, or has stopped, is a closed channel', () => {
  const { clock, one, two, first, second } = network();
  first.open(3, one.handler('to 3'));
  first.open(2, one.handler('to 2'));
  clock.advance(0);
  second.stop();
  clock.advance(0);
  first.open(2, one.handler('to 2 again'));
  clock.advance(0);
  expect(one.heard).toEqual(['to 3 closed', 'to 2 closed', 'to 2 again closed']);
  expect(two.heard).toEqual(['channel of 1']);
});

test('what a partition holds up arrives in order when it ends, whatever partitions came in between', () => {
  const step = fc.oneof(
    fc.constant('send' as const),
    fc.constant('cut' as const),
    fc.constant('heal' as const),
    fc.constant('turn' as const),
    fc.constant('cut from within' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { clock, net, one, two, first } = network();
      const cut = () => net.partition([[1], [2]]);
      const channel = first.open(2, one.handler('to 2'));
      clock.advance(0);
      const tags: number[] = [];
      two.heard.length = 0;
      for (const name of steps) {
        if (name === 'send') {
          tags.push(tags.length);
          channel.send(sync(tags.length - 1));
        } else if (name === 'cut') cut();
        else if (name === 'heal') net.heal();
        else if (name === 'turn') clock.advance(0);
        else
          two.act = () => {
            cut();
            net.heal();
          };
      }
      two.act = undefined;
      net.heal();
      clock.advance(0);
      expect(two.heard).toEqual(tags.map((tag) => `1: ${tag}`));
    }),
  );
});
