import { type Listener, listen } from '@quorate/node';
import { Ensemble } from 'quorate';

/** Servers in this process behind one port of 127.0.0.1. */
export class ServedEnsemble {
  readonly ensemble: Ensemble;
  readonly #listener: Listener;

  private constructor(ensemble: Ensemble, listener: Listener) {
    this.ensemble = ensemble;
    this.#listener = listener;
  }

  static async start(servers = 3): Promise<ServedEnsemble> {
    // Clients ask for up to half a minute; nobody wants to wait that long for what a silent one leaves behind.
    const ensemble = await Ensemble.start({ servers, maxSessionTimeoutMs: 2_000 });
    return new ServedEnsemble(ensemble, await listen(ensemble, { host: '127.0.0.1', port: 0 }));
  }

  /** What a client of any maker is told. */
  get connectString(): string {
    return `127.0.0.1:${this.#listener.port}`;
  }

  /** Crashes the leader, waits for the next one, and brings the old one back. */
  async crashLeader(): Promise<void> {
    const { ensemble } = this;
    const crashed = ensemble.leader;
    if (crashed === undefined) throw new Error('there is no leader to crash');
    ensemble.crash(crashed);
    await ensemble.ready();
    ensemble.restart(crashed);
  }

  async stop(): Promise<void> {
    await this.#listener.close();
    await this.ensemble.close();
  }
}
