/**
 * The work of a consumer on one partition that it owns: reads, hands each message to the handler, notes how far it has come, and puts away what cannot be handled.
 *
 * A message is handled at least once. Progress is noted behind the work, so what an owner had handled last is handled again by the next one. A message that fails is tried again before the
 * next one is, because messages of its key may follow; after so many tries it becomes a dead letter. A message with which its consumer dies counts as tried, too: each owner notes that it begins with
 * its first message, and one that finds such a note of another notes every single message, until it is past the one that kills.
 */
import { pause } from '@quorate/recipes';
import type { Client } from 'quorate';
import type { Broker, Message, Partition, Stored } from './broker.ts';
import { Notes } from './notes.ts';
import { OwnProgress } from './progress.ts';

/** What a handler knows besides the message. */
export interface Delivery {
  /**
   * Aborts when the partition is not the consumer's any more: somebody else may be given the same message from then on. Ask the delivery for it before whatever counts, as one does with a `Hold`: a
   * signal that was taken from it earlier does not look at the clock.
   */
  readonly signal: AbortSignal;
  /** Greater than those of all earlier owners of the partition: a store that refuses smaller ones than it has seen is safe from a consumer that was taken for dead. */
  readonly fencingToken: number;
  /** 1 for the first try, as far as is known. */
  readonly attempt: number;
}

/** Resolves when the message is handled. What it throws is a failed try. */
export type Handler = (message: Message, delivery: Delivery) => Promise<void> | void;

/** What may change while it works. */
export interface Tries {
  /** How often a message is tried before it is a dead letter. */
  readonly triesMax: number;
  /** The pause before it is tried again, in milliseconds. */
  readonly retryMs: number;
}

export interface WorkOptions {
  readonly client: Client;
  readonly broker: Broker;
  readonly partition: Partition;
  /** The znode of its progress. */
  readonly progressPath: string;
  /** Aborts when the partition has to be given up. Asked for again before each try. */
  readonly signal: AbortSignal;
  readonly fencingToken: number;
  readonly handler: Handler;
  readonly tries: () => Tries;
  /** Resolves when the consumer may go on: at once, unless the topic is paused. */
  readonly gate: (signal: AbortSignal) => Promise<void>;
  /** Keeps a message that could not be handled. It may be called twice for one. */
  readonly bury: (message: Message, reason: string) => Promise<void>;
  /** Told of progress once it is noted. */
  readonly onNoted?: ((position: number) => Promise<void>) | undefined;
}

/** Resolves when the signal has aborted and nothing is under way any more. @throws RecipeError CONFLICT where the partition has another owner by now. */
export async function work(options: WorkOptions): Promise<void> {
  const { client, progressPath, fencingToken, broker, partition } = options;
  const { progress, own } = await OwnProgress.takeOver(client, progressPath, fencingToken);
  const overtaken = new AbortController();
  const signal = AbortSignal.any([options.signal, overtaken.signal]);
  const notes = new Notes(client, own, progress, { onNoted: options.onNoted, onFailed: (error) => overtaken.abort(error) });
  try {
    for await (const stored of broker.read(partition, progress.position, { signal })) {
      await handle(options, notes, stored, signal);
      notes.handled(stored.position);
    }
  } catch (error) {
    // What was under way is the next owner's.
    if (!signal.aborted) throw error;
  } finally {
    await notes.end();
  }
  overtaken.signal.throwIfAborted();
}

/** Tries a message until it is handled or buried. @throws the signal's reason. */
async function handle(options: WorkOptions, notes: Notes, { message }: Stored, signal: AbortSignal): Promise<void> {
  const { client, handler, fencingToken } = options;
  // To be asked for its signal makes the hold look at the clock: a process that stood still may be woken by other things first.
  const throwIfLost = (): void => {
    options.signal.throwIfAborted();
    signal.throwIfAborted();
  };
  const delivery = (attempt: number): Delivery => ({
    fencingToken,
    attempt,
    get signal() {
      void options.signal;
      return signal;
    },
  });
  let reason = 'its consumer has ended while it was handled';
  for (;;) {
    await options.gate(signal);
    throwIfLost();
    const { attempt } = notes;
    if (attempt > options.tries().triesMax) return options.bury(message, `tried ${attempt - 1} times: ${reason}`);
    await notes.begin();
    throwIfLost();
    try {
      return await handler(message, delivery(attempt));
    } catch (error) {
      signal.throwIfAborted();
      reason = error instanceof Error ? error.message : String(error);
    }
    await notes.failed();
    await pause(client.clock, options.tries().retryMs, { signal });
  }
}
