/** The contract of `Connection` over TCP, TLS and WebSocket. */
import { type Connector, websocketConnector } from '@quorate/client';
import { type ConnectionWorld, connectionSuite } from '@quorate/testkit';
import { Ensemble } from 'quorate';
import { beforeAll, describe, test } from 'vitest';
import { WebSocket } from 'ws';
import { type ClientTls, type Listener, listen, listenWebSocket, tcpConnector } from '../src/index.js';
import { Authority } from './support/certificates.js';
import { settle, until } from './support/peer-world.js';

async function world(open: (ensemble: Ensemble) => Promise<Listener>, connector: (address: string) => Connector): Promise<ConnectionWorld> {
  const ensemble = await Ensemble.start({ servers: 1 });
  const listener = await open(ensemble);
  const stop = async (): Promise<void> => {
    await listener.close();
    await ensemble.close();
  };
  return { connector: connector(listener.address), stop, until, settle, close: stop };
}

let tls: ClientTls & { readonly ca: string | Uint8Array };

beforeAll(async () => {
  tls = await (await Authority.found('the clients')).issue('127.0.0.1');
});

describe('over TCP', () => connectionSuite({ test, world: () => world((ensemble) => listen(ensemble, { port: 0 }), tcpConnector) }));

describe('over TLS', () =>
  connectionSuite({
    test,
    world: () =>
      world(
        (ensemble) => listen(ensemble, { port: 0, tls }),
        (address) => tcpConnector(address, { tls }),
      ),
  }));

describe('over WebSocket', () =>
  connectionSuite({
    test,
    world: () =>
      world(
        (ensemble) => listenWebSocket(ensemble, { port: 0 }),
        (address) => websocketConnector([`ws://${address}/`], { WebSocket }),
      ),
  }));
