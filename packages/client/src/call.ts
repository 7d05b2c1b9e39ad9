/**
 * One request on its way, and the queue that keeps requests in order.
 *
 * The machine allocates nothing else per request: a call is its own link in the queue, and whoever made it learns the
 * outcome through its two methods. Invariant: exactly one of `onReply` and `onFailure` is called, once.
 */
import type { ErrorName, ReplyMessage, Request } from '@quorate/protocol';
import { requestBytesAtMost } from './requests.js';
import type { Watcher } from './watch-registry.js';

export abstract class Call {
  readonly request: Request;
  /** What it takes while it waits, in bytes. */
  readonly bytes: number;
  /** Registered when the answer says that the server has armed the watch. */
  watcher: Watcher | undefined;
  /** Given when the request is sent; 0 before. */
  xid = 0;
  /** The queue that holds this call, and its neighbours there. Written by `CallQueue` alone. */
  queue: CallQueue | undefined = undefined;
  previous: Call | undefined = undefined;
  next: Call | undefined = undefined;

  constructor(request: Request, watcher?: Watcher) {
    this.request = request;
    this.bytes = requestBytesAtMost(request);
    this.watcher = watcher;
  }

  /** The server has answered; `reply.err` is 0 or the number of an error. */
  abstract onReply(reply: ReplyMessage): void;

  /**
   * No answer will come. `CONNECTION_LOSS`: the request was sent, so it may or may not have been performed. Every other code: it
   * was not sent, and has had no effect.
   *
   * @param reason how the connection has ended, where that is why.
   */
  abstract onFailure(code: ErrorName, reason?: Error): void;
}

/** Calls in order, first in first out, from which any may also be taken out. */
export class CallQueue {
  #first: Call | undefined;
  #last: Call | undefined;
  #length = 0;
  #bytes = 0;

  get length(): number {
    return this.#length;
  }

  /** Of all calls together. */
  get bytes(): number {
    return this.#bytes;
  }

  push(call: Call): void {
    call.queue = this;
    call.previous = this.#last;
    if (this.#last === undefined) this.#first = call;
    else this.#last.next = call;
    this.#last = call;
    this.#length++;
    this.#bytes += call.bytes;
  }

  /** The oldest call, which stays. */
  get first(): Call | undefined {
    return this.#first;
  }

  /** Takes the oldest call. */
  shift(): Call | undefined {
    const call = this.#first;
    if (call !== undefined) this.remove(call);
    return call;
  }

  /** Takes a call that is in this queue. */
  remove(call: Call): void {
    const { previous, next } = call;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    call.queue = undefined;
    call.previous = undefined;
    call.next = undefined;
    this.#length--;
    this.#bytes -= call.bytes;
  }
}
