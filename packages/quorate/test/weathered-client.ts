/** An ensemble in virtual time, a client of it that writes at random, and one whose connections can be cut. */
import { type Random, randomBelow, SeededRandom, VirtualClock } from '@quorate/ports';
import { Client, type Connection, type ConnectionHandler, type Connector, Ensemble, isZooKeeperError, joinPath } from '../src/index.js';
import { settle } from './virtual-time.js';

const ensembles: Ensemble[] = [];

export async function closeAll(): Promise<void> {
  await Promise.all(ensembles.splice(0).map((ensemble) => ensemble.close()));
}

/** The connections of an ensemble, which all can be cut at once. */
class CutConnector implements Connector {
  readonly servers: number;
  /** Nobody can be reached. */
  isDown = false;
  readonly #clock: VirtualClock;
  readonly #inner: Connector;
  readonly #open = new Map<Connection, ConnectionHandler>();

  constructor(clock: VirtualClock, inner: Connector) {
    this.#clock = clock;
    this.#inner = inner;
    this.servers = inner.servers;
  }

  connect(index: number, handler: ConnectionHandler): Connection {
    if (this.isDown) {
      this.#clock.defer(() => handler.onClose(new Error('down')));
      return { send() {}, close() {} };
    }
    const inner = this.#inner.connect(index, {
      onOpen: () => handler.onOpen(),
      onMessage: (message) => handler.onMessage(message),
      onClose: (reason) => {
        this.#open.delete(inner);
        handler.onClose(reason);
      },
    });
    this.#open.set(inner, handler);
    return {
      send: (message) => inner.send(message),
      close: () => {
        this.#open.delete(inner);
        inner.close();
      },
    };
  }

  cut(): void {
    for (const [connection, handler] of [...this.#open]) {
      this.#open.delete(connection);
      connection.close();
      this.#clock.defer(() => handler.onClose(new Error('cut')));
    }
  }
}

export async function setUp(seed: number) {
  const clock = new VirtualClock();
  const until = <T>(promise: Promise<T>): Promise<T> => settle(clock, promise, 120_000);
  const random = new SeededRandom(seed);
  const ensemble = await until(Ensemble.start({ clock, random: new SeededRandom(seed + 1) }));
  ensembles.push(ensemble);
  const connector = new CutConnector(clock, ensemble.connector());
  const writer = await until(ensemble.connect());
  const client = await until(Client.connect({ connector, clock, random: new SeededRandom(seed + 2) }));
  await until(writer.create('/top'));
  return {
    clock,
    until,
    random,
    ensemble,
    connector,
    writer,
    client,
    rest: (ms: number) => until(new Promise<void>((resolve) => void clock.setTimer(ms, resolve))),
  };
}

/** The subtree, read by hand: `path data czxid mzxid` of each znode, sorted. */
export async function readAll(client: Client, path: string): Promise<string[]> {
  try {
    const { data, stat } = await client.getData(path);
    const { children } = await client.getChildren(path);
    const below = await Promise.all(children.map((name) => readAll(client, joinPath(path, name))));
    return [line(path, data, stat), ...below.flat()].sort();
  } catch (error) {
    if (isZooKeeperError(error, 'NO_NODE')) return [];
    throw error;
  }
}

export const line = (path: string, data: Uint8Array, stat: { czxid: number; mzxid: number }) =>
  `${path} ${data} ${stat.czxid} ${stat.mzxid}`;

function randomPath(random: Random): string {
  let path = '/top';
  for (let depth = randomBelow(random, 3); depth >= 0; depth--) path += `/${'abc'[randomBelow(random, 3)]}`;
  return path;
}

export async function randomWrite(random: Random, client: Client): Promise<void> {
  const path = randomPath(random);
  const write = [
    () => client.create(path, 'new'),
    () => client.create(path, 'new'),
    () => client.setData(path, String(randomBelow(random, 1000))),
    () => client.delete(path),
    () =>
      client.multi([
        { op: 'delete', path },
        { op: 'create', path, data: 'again' },
      ]),
  ][randomBelow(random, 5)] as () => Promise<unknown>;
  await write().catch(() => {});
}

/**
 * Rounds of writes, between which connections are cut, and a server crashes or comes back.
 *
 * @param fates how likely each of the three is: one of so many.
 */
export async function upset(
  { until, random, ensemble, connector, writer, rest }: Awaited<ReturnType<typeof setUp>>,
  { fates, afterRound = async () => {} }: { readonly fates: number; readonly afterRound?: () => Promise<void> },
): Promise<void> {
  let crashed: number | undefined;
  for (let round = 0; round < 12; round++) {
    for (let count = randomBelow(random, 12); count >= 0; count--) {
      const write = randomWrite(random, writer);
      if (randomBelow(random, 3) > 0) await until(write);
    }
    const fate = randomBelow(random, fates);
    if (fate === 0) connector.cut();
    if (fate === 1 && crashed === undefined) ensemble.crash((crashed = 1 + randomBelow(random, 3)));
    if (fate === 2 && crashed !== undefined) {
      ensemble.restart(crashed);
      crashed = undefined;
    }
    await rest(randomBelow(random, 200));
    await afterRound();
  }
}
