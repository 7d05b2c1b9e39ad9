/** Servers 1 to 3 on ports of the loopback. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { realClock, realRandom } from '@quorate/ports';
import type { Config, Transport } from '@quorate/server';
import type { TransportWorld } from '@quorate/testkit';
import type { Sid, WireViolation } from '@quorate/zab';
import { type PeerAddress, type PeerTls, peerTransport } from '../../src/index.js';
import { freePorts } from './free-ports.js';

export const VOTERS: readonly Sid[] = [1, 2, 3];
export const CONFIG: Config = { version: 0, voters: VOTERS };

export async function addresses(host = '127.0.0.1'): Promise<Map<Sid, PeerAddress>> {
  const ports = await freePorts(2 * VOTERS.length);
  return new Map(VOTERS.map((sid, i) => [sid, { host, quorumPort: ports[2 * i] as number, electionPort: ports[2 * i + 1] as number }]));
}

/** A test gives up by the time-out of its runner. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await nextTurn();
}

/** What is under way over the loopback arrives within a few turns. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 200; i++) await nextTurn();
}

export class PeerWorld implements TransportWorld {
  readonly servers: ReadonlyMap<Sid, PeerAddress>;
  readonly violations: WireViolation[];
  readonly #make: (sid: Sid) => Promise<Transport>;
  readonly #made: Transport[] = [];

  private constructor(make: (sid: Sid) => Promise<Transport>, servers: ReadonlyMap<Sid, PeerAddress>, violations: WireViolation[]) {
    this.#make = make;
    this.servers = servers;
    this.violations = violations;
  }

  /** Over TCP, or TLS. */
  static async make(tls?: ReadonlyMap<Sid, PeerTls>): Promise<PeerWorld> {
    const servers = await addresses();
    const violations: WireViolation[] = [];
    const onViolation = (violation: WireViolation): void => void violations.push(violation);
    const given = { config: CONFIG, servers, clock: realClock, random: realRandom, onViolation };
    return new PeerWorld((sid) => peerTransport({ sid, tls: tls?.get(sid), ...given }), servers, violations);
  }

  /** Over other transports. */
  static over(make: (sid: Sid) => Promise<Transport>): PeerWorld {
    return new PeerWorld(make, new Map(), []);
  }

  async transport(sid: Sid): Promise<Transport> {
    const transport = await this.#make(sid);
    this.#made.push(transport);
    return transport;
  }

  readonly until = until;
  readonly settle = settle;

  close(): void {
    for (const transport of this.#made) transport.stop();
  }
}
