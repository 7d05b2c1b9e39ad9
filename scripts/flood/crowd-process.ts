/** A child process that is told one thing after the other, and answers each. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Answers, Order } from './crowd.ts';

export class CrowdProcess {
  readonly #child: ChildProcess;

  /** @param program the built `crowd.ts`. */
  constructor(program: string) {
    this.#child = fork(program, { execArgv: ['--enable-source-maps'] });
  }

  async order<K extends Order['kind']>(order: Order & { readonly kind: K }): Promise<Answers[K]> {
    const ended = once(this.#child, 'exit').then(() => Promise.reject(new Error('the crowd has ended by itself')));
    const answered = once(this.#child, 'message');
    this.#child.send(order);
    const [answer] = await Promise.race([answered, ended]);
    return answer as Answers[K];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }
}
