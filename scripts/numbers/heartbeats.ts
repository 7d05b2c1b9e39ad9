/** What it costs to know that everybody is alive: messages and bytes per second of sessions and servers that do nothing else, by formula and counted. */
import { Client, type Connector } from '@quorate/client';
import { SeededRandom, VirtualClock } from '@quorate/ports';
import type { Channel, ChannelHandler, Sid, Transport } from '@quorate/zab';
import { MemoryNetwork } from '@quorate/zab';
import { Ensemble } from 'quorate';
import { settled } from './virtual-time.ts';

export interface Idle {
  readonly servers: number;
  /** Spread evenly over the servers. */
  readonly sessions: number;
  readonly sessionTimeoutMs: number;
  readonly tickTimeMs: number;
}

export interface HeartbeatLoad {
  /** Messages between clients and servers, per second, in both directions. */
  readonly clientMessages: number;
  /** Messages between servers, per second, in both directions. */
  readonly peerMessages: number;
  /** Bytes per second by which the servers tell the leader which sessions they have heard. */
  readonly touchBytes: number;
}

/** A session as a server names it to the leader: its id and its timeout. */
const TOUCH_BYTES = 12;
/** The number of sessions, before the first of them. */
const COUNT_BYTES = 4;

/**
 * A client pings when it has sent nothing for a third of its timeout, and is answered. The leader pings each other server twice a tick, and is answered with
 * the sessions that were heard since. A timeout is two ticks or more, so none of these is heard twice in between.
 */
export function heartbeatLoad({ servers, sessions, sessionTimeoutMs, tickTimeMs }: Idle): HeartbeatLoad {
  const pings = (sessions * 3_000) / sessionTimeoutMs;
  const rounds = ((servers - 1) * 2_000) / tickTimeMs;
  const elsewhere = (servers - 1) / servers;
  return { clientMessages: 2 * pings, peerMessages: 2 * rounds, touchBytes: pings * elsewhere * TOUCH_BYTES + rounds * COUNT_BYTES };
}

/** The same, counted on an ensemble for so long. Sessions begin at any moment of a third of their timeout. */
export async function countHeartbeats(idle: Idle, seconds: number): Promise<HeartbeatLoad> {
  const { servers, sessions, sessionTimeoutMs, tickTimeMs } = idle;
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const network = new MemoryNetwork({ clock });
  const counter = { client: 0, peer: 0, bytes: 0 };
  const transport = (sid: Sid) => countingTransport(network.transport(sid), counter);
  const ensemble = await settled(clock, Ensemble.start({ servers, tickTimeMs, clock, random, transport }));
  for (const { sid } of ensemble.servers) await settled(clock, ensemble.ready({ server: sid }));
  const connector = countingConnector(ensemble.connector(), counter);
  const clients: Client[] = [];
  for (let index = 0; index < sessions; index++) {
    clients.push(new Client({ connector, clock, random, sessionTimeoutMs, firstServer: index % servers }));
    clock.advance(sessionTimeoutMs / 3 / sessions);
  }
  for (const client of clients) await settled(clock, client.connected());
  clock.advance(sessionTimeoutMs);
  Object.assign(counter, { client: 0, peer: 0, bytes: 0 });
  clock.advance(seconds * 1_000);
  const { client, peer, bytes } = counter;
  await settled(clock, ensemble.close());
  return { clientMessages: client / seconds, peerMessages: peer / seconds, touchBytes: bytes / seconds };
}

interface Counter {
  client: number;
  peer: number;
  bytes: number;
}

function countingConnector(connector: Connector, counter: Counter): Connector {
  return {
    servers: connector.servers,
    connect(index, handler) {
      const connection = connector.connect(index, {
        onOpen: () => handler.onOpen(),
        onMessage: (message) => {
          counter.client++;
          handler.onMessage(message);
        },
        onClose: (reason) => handler.onClose(reason),
      });
      return {
        send: (message) => {
          counter.client++;
          connection.send(message);
        },
        close: () => connection.close(),
      };
    },
  };
}

/** Counts what arrives, so that each message counts once. */
function countingTransport(transport: Transport, counter: Counter): Transport {
  const counting = (handler: ChannelHandler): ChannelHandler => ({
    onMessage: (message) => {
      counter.peer++;
      if (message.type === 'PING') counter.bytes += message.payload.length;
      handler.onMessage(message);
    },
    onClose: () => handler.onClose(),
  });
  return {
    start: (handler) =>
      transport.start({
        onNotification: (from, notification) => handler.onNotification(from, notification),
        onChannel: (from, channel) => counting(handler.onChannel(from, channel)),
      }),
    notify: (to, notification) => transport.notify(to, notification),
    open: (to, handler): Channel => transport.open(to, counting(handler)),
    stop: () => transport.stop(),
  };
}
