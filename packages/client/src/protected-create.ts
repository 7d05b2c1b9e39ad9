/**
 * A create that is safe to repeat (Apache Curator: `withProtection`).
 *
 * The name carries an id of its own, so that after a lost connection the client can look whether the znode is there before it creates one again.
 * What it finds is final: whatever of the lost connection is still under way comes before the sync with which the look begins, or is refused because
 * the session has moved on.
 */
import { type Random, randomBelow } from '@quorate/ports';
import {
  baseNameOf,
  type CreateRequest,
  type CreateTtlRequest,
  isZooKeeperError,
  joinPath,
  parentOf,
  type Stat,
  ZooKeeperError,
} from '@quorate/protocol';
import type { Client } from './client.js';
import type { PromiseCall } from './promise-call.js';

/** What a create gives. */
export interface Created {
  readonly path: string;
  readonly stat: Stat;
}

type Request = CreateRequest | CreateTtlRequest;

/** The longest pause before another attempt where the server takes none at present, in milliseconds; half of it is chance. */
const PAUSE_MS = 200;

/** A look that is interrupted begins again with its sync. */
const ONCE = { retry: false } as const;

export interface ProtectedCreateOptions {
  readonly client: Client;
  /** Of a path without an id. */
  readonly request: Request;
  readonly submit: (request: Request) => PromiseCall<Created>;
  /** Returns whether the call was held back. */
  readonly withdraw: (call: PromiseCall<Created>) => boolean;
}

export class ProtectedCreate {
  readonly #client: Client;
  readonly #submit: ProtectedCreateOptions['submit'];
  readonly #withdraw: ProtectedCreateOptions['withdraw'];
  readonly #request: Request;
  readonly #parent: string;
  /** What the name begins with. */
  readonly #mark: string;
  /** The present attempt. */
  #call: PromiseCall<Created> | undefined;
  #abandoned = false;

  constructor({ client, request, submit, withdraw }: ProtectedCreateOptions) {
    if (request.path === '/' && request.flags === 0) throw new ZooKeeperError('BAD_ARGUMENTS', 'the root is there already');
    this.#client = client;
    this.#submit = submit;
    this.#withdraw = withdraw;
    this.#parent = parentOf(request.path);
    this.#mark = `_c_${hexId(client.random)}-`;
    this.#request = { ...request, path: joinPath(this.#parent, this.#mark + baseNameOf(request.path)) };
  }

  /** Once the signal is aborted nothing more is created, and what may have been created is looked for and deleted. */
  run(signal: AbortSignal | undefined): Promise<Created> {
    const outcome = this.#create();
    if (signal === undefined) return outcome;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#abandon(outcome);
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      const settled = (): void => signal.removeEventListener('abort', abort);
      outcome.then(resolve, reject).finally(settled);
    });
  }

  async #create(): Promise<Created> {
    for (;;) {
      this.#call = this.#submit(this.#request);
      try {
        return await this.#call.promise;
      } catch (error) {
        if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
        const found = await this.#find(error);
        if (found !== undefined) return found;
        if (this.#abandoned) throw error;
      }
    }
  }

  /** The znode, if it is there. */
  async #find(loss: ZooKeeperError): Promise<Created | undefined> {
    for (;;) {
      try {
        await this.#client.sync(this.#parent, ONCE);
        const { children } = await this.#client.getChildren(this.#parent, ONCE);
        const name = children.find((child) => child.startsWith(this.#mark));
        if (name === undefined) return undefined;
        const path = joinPath(this.#parent, name);
        const stat = await this.#client.exists(path, ONCE);
        return stat === undefined ? undefined : { path, stat };
      } catch (error) {
        if (isZooKeeperError(error, 'NO_NODE')) return undefined;
        if (isZooKeeperError(error, 'SESSION_EXPIRED')) throw error;
        if (!isPassing(error)) throw unknownOutcome(loss, error);
        await this.#pause();
      }
    }
  }

  #abandon(outcome: Promise<Created>): void {
    this.#abandoned = true;
    if (this.#call !== undefined && this.#withdraw(this.#call)) return;
    outcome.then(
      ({ path }) => this.#delete(path),
      () => {},
    );
  }

  /** In the background: where it cannot be deleted, because of its children or its parent's ACL, nobody is left to be told. */
  async #delete(path: string): Promise<void> {
    for (;;) {
      try {
        return await this.#client.delete(path);
      } catch (error) {
        if (!isPassing(error)) return;
        await this.#pause();
      }
    }
  }

  #pause(): Promise<void> {
    const { clock, random } = this.#client;
    return new Promise((resolve) => clock.setTimer(PAUSE_MS / 2 + randomBelow(random, PAUSE_MS / 2), resolve));
  }
}

/** Whether another attempt may do better. */
function isPassing(error: unknown): boolean {
  return isZooKeeperError(error, 'CONNECTION_LOSS') || isZooKeeperError(error, 'THROTTLED_OP') || isZooKeeperError(error, 'NOT_READ_ONLY');
}

function unknownOutcome(loss: ZooKeeperError, cause: unknown): ZooKeeperError {
  const { path, operation } = loss;
  return new ZooKeeperError('CONNECTION_LOSS', `${loss.message}, and it could not be looked for`, { path, operation, cause });
}

function hexId(random: Random): string {
  let id = '';
  for (let word = 0; word < 4; word++) id += random.uint32().toString(16).padStart(8, '0');
  return id;
}
