/** A call whose outcome is a promise. */
import {
  ErrorCode,
  type ErrorName,
  errorName,
  opCodeName,
  parentOf,
  type ReplyMessage,
  type Request,
  type Response,
  ZooKeeperError,
} from '@quorate/protocol';
import { Call } from './call.js';
import { changesNothing, type Failures, type Retries, type RetryRule } from './retries.js';
import type { Watcher } from './watch-registry.js';

/** Makes the caller's result of a body that belongs to the request; may throw what the caller shall get instead. */
export type Select<T> = (response: Response | undefined, request: Request) => T;

/** How a call is made again. Calls without options of their own share one: most calls. */
export interface CallTerms {
  readonly retries: Retries<PromiseCall<unknown>>;
  /** Undefined where nothing is made again. */
  readonly rule: RetryRule | undefined;
  /** Whether the caller says that it may be performed twice. */
  readonly idempotent: boolean;
  /** What paths are below, for people to read. */
  readonly chroot: string | undefined;
}

export class PromiseCall<T> extends Call {
  readonly promise: Promise<T>;
  readonly #select: Select<T>;
  #resolve!: (value: T) => void;
  #reject!: (reason: unknown) => void;
  /** Takes back the interest in the signal, where there is one. */
  #release: (() => void) | undefined;
  /** Its promise has its outcome. */
  settled = false;
  /** Undefined where it is not made again. */
  terms: CallTerms | undefined = undefined;
  /** Undefined until it has failed. */
  #failures: Failures | undefined = undefined;

  constructor(request: Request, watcher: Watcher | undefined, select: Select<T>) {
    super(request, watcher);
    this.#select = select;
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Rejects with the signal's reason once it is aborted. @param onAbort called before that. */
  abortOn(signal: AbortSignal, onAbort: (call: this) => void): void {
    const listener = (): void => {
      onAbort(this);
      this.reject(signal.reason);
    };
    signal.addEventListener('abort', listener, { once: true });
    this.#release = () => signal.removeEventListener('abort', listener);
  }

  reject(reason: unknown): void {
    this.settled = true;
    this.#release?.();
    this.#reject(reason);
  }

  override onReply(reply: ReplyMessage): void {
    if (reply.err === ErrorCode.THROTTLED_OP && this.isRepeated('THROTTLED_OP')) return;
    if (reply.err !== ErrorCode.OK) return this.onError(reply.err);
    this.settled = true;
    this.#release?.();
    try {
      this.#resolve(this.#select(reply.response, this.request));
    } catch (error) {
      this.#reject(error);
    }
  }

  override onFailure(code: ErrorName, reason?: Error): void {
    if (code === 'CONNECTION_LOSS' && this.isRepeated(code)) return;
    const isUnknown = code !== 'CONNECTION_LOSS' && this.#failures?.lost === true && !changesNothing(this.request);
    const explanation = isUnknown ? 'and what was sent before may have been performed' : explanations.get(code);
    this.reject(this.error(code, explanation, reason));
  }

  /** Its caller has lost interest, and it will not be sent. */
  onGivenUp(): void {}

  /** Whether the call is made again after this; otherwise it has failed. */
  protected isRepeated(code: 'CONNECTION_LOSS' | 'THROTTLED_OP'): boolean {
    const { terms } = this;
    if (this.settled || terms === undefined) return false;
    const lost = code === 'CONNECTION_LOSS';
    if (lost && !terms.idempotent && !changesNothing(this.request)) return false;
    this.#failures ??= { count: 0, firstAt: 0, lost: false };
    if (lost) this.#failures.lost = true;
    return terms.rule !== undefined && terms.retries.take(this as PromiseCall<unknown>, terms.rule, this.#failures);
  }

  /** The server has answered by an error. */
  protected onError(number: number): void {
    const code = errorName(number);
    this.reject(code === undefined ? this.error('SYSTEM_ERROR', `the server answered ${number}`) : this.error(code, this.#explain(code)));
  }

  #explain(code: ErrorName): string | undefined {
    const chroot = this.terms?.chroot;
    if (code !== 'NO_NODE' || chroot === undefined) return undefined;
    const path = 'path' in this.request ? this.request.path : '';
    const isChroot = (operationOf(this.request) === 'create' ? parentOf(path) : path) === '/';
    return isChroot ? `the chroot ${chroot} does not exist: create it first` : `below the chroot ${chroot}`;
  }

  protected resolve(value: T): void {
    this.settled = true;
    this.#release?.();
    this.#resolve(value);
  }

  protected error(code: ErrorName, explanation: string | undefined, cause?: Error): ZooKeeperError {
    const operation = operationOf(this.request);
    const path = 'path' in this.request ? this.request.path : undefined;
    const message = `${operation}${path === undefined ? '' : ` ${path}`}: ${code}${explanation === undefined ? '' : `, ${explanation}`}`;
    return new ZooKeeperError(code, message, { path, operation, cause });
  }
}

/** An exists request: that there is no znode is an answer. */
export class ExistsCall<T> extends PromiseCall<T | undefined> {
  protected override onError(number: number): void {
    if (number === ErrorCode.NO_NODE) this.resolve(undefined);
    else super.onError(number);
  }
}

const explanations: ReadonlyMap<ErrorName, string> = new Map([
  ['CONNECTION_LOSS', 'the connection ended before the answer came: the request may or may not have been performed'],
  ['SESSION_EXPIRED', 'the session has ended for good: the request was not performed, go on with a new client'],
  ['AUTH_FAILED', 'a server has refused what addAuth was given, and the client has ended: the request was not performed'],
  ['THROTTLED_OP', 'too many calls wait for an answer: the request was not sent'],
]);

/** ZooKeeper's word for the operation, whichever of its opcodes was used. */
function operationOf(request: Request): string {
  const name = opCodeName(request.type) ?? String(request.type);
  return name.startsWith('create') ? 'create' : name.replace(/2$/, '');
}
