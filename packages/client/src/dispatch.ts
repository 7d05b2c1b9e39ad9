/** How the calls of a client get to its machine: checked, bound to their signals, and again where that is safe. */
import type { Clock, Random } from '@quorate/ports';
import type { AuthRequest, Request } from '@quorate/protocol';
import { type CallOptions, checkBoolean, signalOf } from './arguments.js';
import type { AuthCall } from './auth-list.js';
import type { Call } from './call.js';
import { requestBelow } from './chroot.js';
import type { ClientMachine } from './client-machine.js';
import { type CallTerms, PromiseCall, type Select } from './promise-call.js';
import { checkSize } from './requests.js';
import { nothing } from './results.js';
import { Retries, type RetryRule, retryRule } from './retries.js';
import type { Watcher } from './watch-registry.js';

export interface DispatchOptions {
  readonly machine: ClientMachine;
  readonly clock: Clock;
  readonly random: Random;
  readonly requestBytesMax: number;
  /** Undefined where the client sees the servers' root. */
  readonly chroot: string | undefined;
  /** Undefined where nothing is made again. */
  readonly rule: RetryRule | undefined;
}

export class Dispatch {
  readonly machine: ClientMachine;
  readonly clock: Clock;
  readonly chroot: string | undefined;
  readonly #requestBytesMax: number;
  readonly #terms: CallTerms;

  constructor({ machine, clock, random, requestBytesMax, chroot, rule }: DispatchOptions) {
    this.machine = machine;
    this.clock = clock;
    this.chroot = chroot;
    this.#requestBytesMax = requestBytesMax;
    const retries = new Retries<PromiseCall<unknown>>(clock, random, (call) => {
      if (call.settled) return call.onGivenUp();
      call.xid = 0;
      machine.submit(call);
    });
    this.#terms = { retries, rule, idempotent: false, chroot };
  }

  call<T>(request: Request, select: Select<T>, options: CallOptions | undefined, watcher?: Watcher): Promise<T> {
    return this.submit(new PromiseCall(request, watcher, select), options);
  }

  submit<T>(call: PromiseCall<T>, options: CallOptions | undefined): Promise<T> {
    this.check(call.request, options);
    call.terms = this.#termsOf(options);
    this.#abortOn(call, options?.signal);
    this.machine.submit(call);
    return call.promise;
  }

  /** What is given to every connection is made again by itself. */
  authenticate(request: AuthRequest, options: CallOptions | undefined): Promise<void> {
    this.check(request, options);
    const call = new PromiseCall(request, undefined, nothing);
    this.#abortOn(call, options?.signal);
    this.machine.addAuth(call as Call as AuthCall);
    return call.promise;
  }

  #abortOn<T>(call: PromiseCall<T>, signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    call.abortOn(signal, () => {
      if (this.machine.withdraw(call)) call.onGivenUp();
    });
  }

  /** @throws ZooKeeperError BAD_ARGUMENTS where the request is longer than a server takes; TypeError; the reason of a signal that is aborted already. */
  check(request: Request, options: CallOptions | undefined): void {
    signalOf(options);
    if (options?.idempotent !== undefined) checkBoolean('idempotent', options.idempotent);
    if (options?.retry !== undefined) retryRule(options.retry);
    checkSize(this.chroot === undefined ? request : requestBelow(this.chroot, request), this.#requestBytesMax);
  }

  #termsOf(options: CallOptions | undefined): CallTerms {
    if (options?.retry === undefined && options?.idempotent === undefined) return this.#terms;
    const { retry, idempotent = false } = options;
    return { ...this.#terms, idempotent, rule: retry === undefined ? this.#terms.rule : retryRule(retry) };
  }
}
