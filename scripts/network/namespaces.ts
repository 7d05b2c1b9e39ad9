/**
 * A network of network namespaces: each server is in one of its own, and all are plugged into one bridge, where their clients are. A server is cut off and made deaf by routes that
 * lead nowhere, and impaired by `tc`: by netem where the kernel has it, else by a rate and a queue that is soon full.
 */
import { execFileSync } from 'node:child_process';
import type { Sid } from '@quorate/zab';
import type { Network } from './network.ts';

/** A kernel or a user that may not do it. */
export class NoNamespaces extends Error {}

/** Some delay, some loss, some in another order, some twice. */
const NETEM: readonly string[] = ['netem', ...words('delay 20ms 10ms loss 2% reorder 10% 50% duplicate 2%')];
/** What does not go through in time waits, and what finds the queue full is lost. */
const NARROW: readonly string[] = ['tbf', ...words('rate 2mbit burst 4kb limit 16kb')];
const BRIDGE_HOST = 254;

export class NamespaceNetwork implements Network {
  readonly #sids: readonly Sid[];
  /** Of this process, so that two of them do not meet. */
  readonly #name = `q${process.pid}`;
  /** Of the addresses that are for tests of networks (RFC 2544). */
  readonly #subnet = `198.18.${process.pid & 0xff}`;
  readonly #impairment: readonly string[];

  /** @throws NoNamespaces */
  constructor(sids: readonly Sid[]) {
    this.#sids = sids;
    try {
      this.#build();
    } catch (error) {
      this.#tearDown();
      throw new NoNamespaces(`network namespaces cannot be made here: ${(error as Error).message.trim()}`);
    }
    this.#impairment = this.#hasNetem() ? NETEM : NARROW;
    process.on('exit', this.#tearDown);
  }

  /** What becomes of those who are late. */
  get description(): string {
    const without = this.#impairment === NETEM ? '' : 'this kernel has no netem (CONFIG_NET_SCH_NETEM); ';
    return `${without}whoever is late: tc qdisc ${this.#impairment.join(' ')}`;
  }

  hostOf(sid: Sid): string {
    return `${this.#subnet}.${sid}`;
  }

  /** What starts a process in the namespace of a server. */
  launcher(sid: Sid): readonly string[] {
    return ['ip', 'netns', 'exec', this.#namespace(sid)];
  }

  async cut(one: Sid, other: Sid): Promise<void> {
    await this.stall(one, other);
    await this.stall(other, one);
  }

  async stall(from: Sid, to: Sid): Promise<void> {
    this.#in(from, 'ip', ['route', 'replace', 'blackhole', `${this.hostOf(to)}/32`]);
  }

  async impair(sid: Sid): Promise<void> {
    this.#in(sid, 'tc', ['qdisc', 'replace', 'dev', 'eth0', 'root', ...this.#impairment]);
  }

  async heal(): Promise<void> {
    for (const sid of this.#sids) {
      this.#in(sid, 'ip', words('route flush type blackhole'));
      // There may be none.
      attempt(() => this.#in(sid, 'tc', words('qdisc del dev eth0 root')));
    }
  }

  async close(): Promise<void> {
    process.off('exit', this.#tearDown);
    this.#tearDown();
  }

  #build(): void {
    run('ip', ['link', 'add', this.#name, 'type', 'bridge']);
    run('ip', ['addr', 'add', `${this.#subnet}.${BRIDGE_HOST}/24`, 'dev', this.#name]);
    run('ip', ['link', 'set', this.#name, 'up']);
    for (const sid of this.#sids) {
      const port = this.#portOf(sid);
      run('ip', ['netns', 'add', this.#namespace(sid)]);
      run('ip', ['link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#namespace(sid)]);
      run('ip', ['link', 'set', port, 'master', this.#name, 'up']);
      this.#in(sid, 'ip', words('link set lo up'));
      this.#in(sid, 'ip', ['addr', 'add', `${this.hostOf(sid)}/24`, 'dev', 'eth0']);
      this.#in(sid, 'ip', words('link set eth0 up'));
    }
  }

  #hasNetem(): boolean {
    const first = this.#sids[0] as Sid;
    return attempt(() => this.#in(first, 'tc', words('qdisc add dev lo root netem delay 1ms')));
  }

  readonly #tearDown = (): void => {
    for (const sid of this.#sids) {
      // A namespace stays for as long as its last connections do, and would keep its end of the cable.
      attempt(() => run('ip', ['link', 'del', this.#portOf(sid)]));
      attempt(() => run('ip', ['netns', 'del', this.#namespace(sid)]));
    }
    attempt(() => run('ip', ['link', 'del', this.#name]));
  };

  #in(sid: Sid, program: string, args: readonly string[]): void {
    run('ip', ['netns', 'exec', this.#namespace(sid), program, ...args]);
  }

  #portOf(sid: Sid): string {
    return `${this.#name}p${sid}`;
  }

  #namespace(sid: Sid): string {
    return `${this.#name}n${sid}`;
  }
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function attempt(task: () => void): boolean {
  try {
    task();
    return true;
  } catch {
    return false;
  }
}

function words(text: string): readonly string[] {
  return text.split(' ');
}
