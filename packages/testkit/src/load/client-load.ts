/** Work for servers: clients that read, write, watch, come and go, and what goes wrong on their side. */
import type { Random, VirtualClock } from '@quorate/ports';
import { ErrorCode, OPEN_ACL_UNSAFE, OpCode, type Zxid } from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import { TICKS_TO_ANSWER, TICKS_TO_EXPIRE, TICKS_TO_SWEEP } from '../check/calm-checker.js';
import type { ClientChecker } from '../check/client-checker.js';
import type { Verdict } from '../check/verdict.js';
import type { Knobs } from '../simulation/knobs.js';
import type { Sometimes } from '../simulation/sometimes.js';
import { between, chance, millis, pick, type RandomStreams } from '../world/random-streams.js';
import type { SimNetwork } from '../world/sim-network.js';
import { hostOf } from '../world/sim-transport.js';
import { ClientWire } from './client-wire.js';
import type { Load } from './load.js';
import { SimClient } from './sim-client.js';
import { Stranger } from './stranger.js';
import { TreeSketch } from './tree-sketch.js';

/** What each client asks for when all is well. */
const ASKED_WHILE_ALL_IS_WELL = 4;

export interface ClientLoadOptions {
  readonly knobs: Knobs;
  readonly clock: VirtualClock;
  readonly streams: RandomStreams;
  readonly network: SimNetwork;
  readonly wire: ClientWire;
  readonly sids: readonly Sid[];
  readonly checker: ClientChecker;
  readonly verdict: Verdict;
  readonly sometimes: Sometimes;
}

export class ClientLoad implements Load {
  readonly #options: ClientLoadOptions;
  readonly #weather: Random;
  readonly #clients: SimClient[] = [];
  /** Clients whose connection ends with the next event that they are told of. */
  readonly #ambushed = new Set<number>();
  readonly #stranger: Stranger;
  #settled = false;

  constructor(options: ClientLoadOptions) {
    this.#options = options;
    const { knobs, clock, streams, wire, sids, verdict } = options;
    this.#stranger = new Stranger({ id: knobs.clients + 1, knobs, clock, random: streams.stream('stranger'), wire });
    this.#weather = streams.stream('client weather');
    wire.onExpiring = (session) => {
      if (!this.#settled) this.#wake(session);
    };
    wire.onHolding = (server, numbers) => {
      if (!this.#settled) for (const number of numbers) this.#strand(server, this.#clients[number - 1]);
    };
    wire.onReadOnly = (server) => {
      if (!this.#settled && chance(this.#weather, 500))
        this.#visit(pick(this.#weather, this.#clients), chance(this.#weather, 300), [server]);
    };
    const machineRandom = streams.stream('client machines');
    const sketch = new TreeSketch();
    for (let id = 1; id <= knobs.clients; id++)
      this.#clients.push(
        new SimClient({ id, knobs, clock, random: streams.stream(`client ${id}`), machineRandom, wire, sids, sketch, verdict }),
      );
  }

  start(): void {
    for (const client of this.#clients) client.start();
    this.#next();
  }

  settle(): void {
    this.#settled = true;
    this.#ambushed.clear();
    this.#stranger.leave();
    for (const client of this.#clients) {
      client.process?.resume();
      client.settle();
    }
  }

  probe(done: () => void): void {
    const askLater = (): void => void this.#options.clock.setTimer(this.#options.knobs.tickTimeMs, ask);
    const ask = (): void => {
      const client = this.#clients.find((one) => one.isReady);
      if (client === undefined) return askLater();
      const { disturbances } = this.#options.wire;
      client.submit({ type: OpCode.create, path: '/probe', data: null, acl: OPEN_ACL_UNSAFE, flags: 0 }, (reply) => {
        // One whose answer was lost may have made it.
        if (reply === undefined || (reply.err !== ErrorCode.OK && reply.err !== ErrorCode.NODE_EXISTS)) return askLater();
        done();
        this.#awaitCalm(reply.zxid, disturbances);
      });
    };
    ask();
  }

  /** What began in bad weather may take its time yet, a flush for example, until every server that serves has applied what was written since. */
  #awaitCalm(zxid: Zxid, disturbances: number): void {
    const { clock, knobs, wire } = this.#options;
    if (wire.disturbances !== disturbances) return;
    if (wire.serversHave(zxid)) this.#beginCalm(disturbances);
    else clock.setTimer(knobs.tickTimeMs, () => this.#awaitCalm(zxid, disturbances));
  }

  /** All is well, as long as no server stops serving: everybody asks for something, and must be answered; and whoever says nothing loses its session. */
  #beginCalm(disturbances: number): void {
    const { checker, wire, clock, knobs } = this.#options;
    const afterTicks = (ticks: number, check: () => void): void => {
      clock.setTimer(ticks * knobs.tickTimeMs, () => {
        if (wire.disturbances === disturbances) check();
      });
    };
    for (const client of this.#clients) client.askFor(ASKED_WHILE_ALL_IS_WELL);
    checker.calm.begin(wire.accounts());
    this.#visit(pick(this.#weather, this.#clients), false);
    afterTicks(TICKS_TO_ANSWER, () => {
      checker.checkAnswered(wire.accounts());
      checker.calm.beginTakeover();
      this.#visit(pick(this.#weather, this.#clients), true);
    });
    afterTicks(2 * TICKS_TO_ANSWER, () => checker.calm.noteTaken());
    afterTicks(3 * TICKS_TO_ANSWER, () => checker.calm.checkTaken());
    afterTicks(knobs.sweepEveryTicks + TICKS_TO_SWEEP, () => checker.calm.checkSwept());
    afterTicks(knobs.sessionTimeoutTicks + TICKS_TO_EXPIRE, () => checker.calm.checkExpired());
  }

  /** A connection that ends between two events of one txn is the hardest for watches. */
  onEvent(client: number): void {
    if (!this.#ambushed.delete(client)) return;
    if (this.#clients[client - 1]?.cut() === true) this.#options.sometimes.note('client connection cut at an event');
  }

  finish(): void {
    this.#options.checker.finish();
  }

  // Weather on the clients' side

  #next(): void {
    this.#options.clock.setTimer(millis(this.#weather, 200, 5000), () => {
      if (this.#settled) return;
      this.#strike(pick(this.#weather, this.#clients));
      this.#next();
    });
  }

  #strike(client: SimClient): void {
    const { sometimes } = this.#options;
    const draw = between(this.#weather, 0, 99);
    if (draw < 14) {
      if (client.cut()) sometimes.note('client connection cut');
    } else if (draw < 30) {
      this.#ambushed.add(client.id);
    } else if (draw < 44) {
      this.#pause(client);
    } else if (draw < 56) {
      sometimes.note('client crashed');
      client.crash();
    } else if (draw < 69) {
      this.#isolate(client);
    } else if (draw < 82) {
      this.#outrun(client);
    } else {
      this.#visit(client, draw < 92);
    }
  }

  #visit({ session }: SimClient, knowsPassword: boolean, sids = this.#options.sids): void {
    if (session !== undefined) this.#stranger.visit(session, knowsPassword, sids);
  }

  #pause(client: SimClient): void {
    const { process } = client;
    if (process === undefined || process.isPaused) return;
    this.#options.sometimes.note('client paused');
    process.pause();
    this.#options.clock.setTimer(millis(this.#weather, 50, 3000), () => process.resume());
  }

  /**
   * A client that goes on at the moment at which its session ends: what it asks for, on its connection or on another one, comes too late, or just not
   * (ZOOKEEPER-1208).
   */
  #wake(session: bigint): void {
    const client = this.#clients.find(({ sessionId }) => sessionId === session);
    if (client?.process?.isPaused !== true || chance(this.#weather, 300)) return;
    client.process.resume();
    if (chance(this.#weather, 500)) client.cut();
    client.askFor(2);
  }

  /**
   * Requests wait at a server that has lost its leader, on a connection that their client leaves without the server noticing. When the server has a leader
   * again, the session is another's; and perhaps that one is gone by then, and the client out of reach.
   */
  #strand(server: Sid, client: SimClient | undefined): void {
    if (client === undefined || !chance(this.#weather, 600)) return;
    const { clock, sids } = this.#options;
    client.askFor(2);
    clock.setTimer(millis(this.#weather, 10, 60), () => {
      if (this.#settled) return;
      this.#cutOff(client, [server], millis(this.#weather, 500, 5000));
      if (chance(this.#weather, 200)) return;
      client.cut();
      // What it writes elsewhere would tell the server.
      client.rest(millis(this.#weather, 200, 1500));
      if (chance(this.#weather, 400)) return;
      clock.setTimer(millis(this.#weather, 80, 400), () => {
        if (!this.#settled) this.#cutOff(client, sids, millis(this.#weather, 300, 3000));
      });
    });
  }

  /** None of these servers is within a client's reach, nor the client within theirs. */
  #cutOff(client: SimClient, servers: readonly Sid[], forMs: number): void {
    const host = ClientWire.hostOf(client.id);
    const directions = servers.flatMap((sid) => [[host, hostOf(sid)] as const, [hostOf(sid), host] as const]);
    this.#options.clock.setTimer(forMs, this.#options.network.cut(directions));
  }

  /** A client goes on elsewhere, and what it has asked for comes to the leader behind it (ZOOKEEPER-710). */
  #outrun(client: SimClient): void {
    const { clock, network, sids, knobs, sometimes } = this.#options;
    const { serverHost } = client;
    if (serverHost === undefined) return;
    const away = sids.map(hostOf).filter((host) => host !== serverHost);
    clock.setTimer(millis(this.#weather, knobs.tickTimeMs / 2, knobs.tickTimeMs * 3), network.cut(away.map((host) => [serverHost, host])));
    client.askFor(3);
    clock.setTimer(millis(this.#weather, 5, 20), () => {
      if (!this.#settled && client.cut()) sometimes.note('session moved before its requests were heard');
    });
  }

  /** One or all servers are out of reach, in one or both directions. */
  #isolate(client: SimClient): void {
    const { network, sids, clock } = this.#options;
    const host = ClientWire.hostOf(client.id);
    const servers = chance(this.#weather, 500) ? sids : [pick(this.#weather, sids)];
    const both = chance(this.#weather, 600);
    const forth = both || chance(this.#weather, 500);
    const back = both || !forth;
    const directions = servers.flatMap((sid) => [
      ...(forth ? [[host, hostOf(sid)] as const] : []),
      ...(back ? [[hostOf(sid), host] as const] : []),
    ]);
    clock.setTimer(millis(this.#weather, 20, 3000), network.cut(directions));
  }
}
