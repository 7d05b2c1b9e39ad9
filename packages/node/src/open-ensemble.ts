/** One way in for a program that does not care where its ensemble is: within the process, or behind a connect string. */
import { type CallOptions, Client, type ClientOptions, type Connector, isFinal, parseConnectString } from '@quorate/client';
import { isZooKeeperError } from '@quorate/protocol';
import { Ensemble, EnsembleError, type EnsembleOptions, SERVERS_MAX } from 'quorate';
import { type TcpConnectorOptions, tcpConnector } from './tcp-connector.js';

/** What `openEnsemble` takes. */
export interface OpenEnsembleOptions extends TcpConnectorOptions, CallOptions {
  /** Of an ensemble within the process, besides how many servers it has. */
  readonly ensemble?: Omit<EnsembleOptions, 'servers'> | undefined;
}

/**
 * The ensemble that a string names: `memory:3` is one of three servers within this process, which is gone when it is closed; anything else is a connect string. Either may end
 * in a chroot, which the first client creates where it is not there.
 *
 * It keeps nothing outside of what it returns: two that are opened by the same `memory:3` have nothing to do with one another.
 *
 * @throws TypeError for a string that is neither; what `Ensemble.start` throws.
 *
 * @example
 * await using place = await openEnsemble(process.env.QUORATE ?? 'memory:3/app');
 * const client = await place.connect();
 */
export async function openEnsemble(at: string, options: OpenEnsembleOptions = {}): Promise<OpenedEnsemble> {
  const memory = typeof at === 'string' && /^memory\b(?<rest>.*)$/.exec(at);
  if (!memory) return new OpenedEnsemble(tcpConnector(at, options), undefined);
  const { servers, chroot } = parseMemory(at, memory.groups?.rest ?? '');
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const ensemble = await Ensemble.start({ ...options.ensemble, ...signal, servers });
  return new OpenedEnsemble({ ...ensemble.connector(), chroot }, ensemble);
}

function parseMemory(at: string, rest: string): { servers: number; chroot: string | undefined } {
  const match = /^:(?<servers>\d+)(?<chroot>\/.*)?$/.exec(rest);
  const servers = Number(match?.groups?.servers);
  if (!(servers >= 1 && servers <= SERVERS_MAX))
    throw new TypeError(`${JSON.stringify(at)} must be memory:N, or memory:N/app, with N from 1 to ${SERVERS_MAX}`);
  // The rules for a chroot stand once.
  return { servers, chroot: parseConnectString(`memory${match?.groups?.chroot ?? ''}`).chroot };
}

/** An ensemble that was opened, and the clients that it has given out. */
export class OpenedEnsemble implements AsyncDisposable {
  /** For a client of one's own making, which is not closed along with the others. */
  readonly connector: Connector;
  /** The ensemble within this process; undefined where there is none. */
  readonly ensemble: Ensemble | undefined;
  readonly #clients = new Set<Client>();
  #rootIsThere: boolean;
  #closed = false;

  /** @internal */
  constructor(connector: Connector, ensemble: Ensemble | undefined) {
    this.connector = connector;
    this.ensemble = ensemble;
    this.#rootIsThere = connector.chroot === undefined;
  }

  /**
   * A client that is connected. It is closed with the place that has given it out.
   *
   * @throws what `Client.connect` throws, and `create` where the chroot has to be made; EnsembleError CLOSED. It tries as long as it takes: give a signal to end that.
   */
  async connect(options: Omit<ClientOptions, 'connector'> & CallOptions = {}): Promise<Client> {
    if (this.#closed) throw closedError();
    if (!this.#rootIsThere) await this.#makeRoot(options);
    const client = await Client.connect({ ...options, connector: this.connector });
    if (this.#closed) {
      await client.close();
      throw closedError();
    }
    this.#clients.add(client);
    client.onState((state) => {
      if (isFinal(state)) this.#clients.delete(client);
    });
    return client;
  }

  /** Closes the clients, and then the ensemble where it is within this process. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#clients].map((client) => client.close()));
    await this.ensemble?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #makeRoot({ signal }: CallOptions): Promise<void> {
    const { chroot = '/', ...connector } = this.connector;
    await using client = await Client.connect({ connector, signal });
    for (let end = chroot.indexOf('/', 1); ; end = chroot.indexOf('/', end + 1)) {
      const path = end === -1 ? chroot : chroot.slice(0, end);
      if ((await client.exists(path, { signal })) === undefined)
        await client.create(path, '', { signal }).catch((error) => {
          if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error;
        });
      if (end === -1) break;
    }
    this.#rootIsThere = true;
  }
}

function closedError(): EnsembleError {
  return new EnsembleError('CLOSED', 'the place was closed: open another one by openEnsemble');
}
