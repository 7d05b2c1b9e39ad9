/**
 * What carries messages, as a port: a log for each partition of a topic. Who reads which partition, and how far he has come, is not its affair: that is coordination, and stands
 * in znodes. So an engine that keeps messages in order is all it takes: `EmbeddedBroker` keeps them in znodes, `NatsBroker` in NATS JetStream. `test/messaging/broker-suite.ts` is the contract as tests.
 */

/** A message as it is published. */
export interface Message {
  /** Its name for ever. A message that is published or delivered twice has the same id, and is known by it. */
  readonly id: string;
  /** Messages of one key stay in the order in which they were published. */
  readonly key: string;
  readonly body: string;
}

/** Part of a topic. */
export interface Partition {
  /** Letters, digits and hyphens. */
  readonly topic: string;
  /** From 0. */
  readonly index: number;
}

/** A message as it is kept. */
export interface Stored {
  readonly message: Message;
  /** Its place in the partition, above 0 and above those of all before it; not every number is there. */
  readonly position: number;
}

export interface BrokerOptions {
  /** Ends the wait. A message may have been kept all the same. */
  readonly signal?: AbortSignal | undefined;
}

export interface Broker extends AsyncDisposable {
  /** Makes room for a topic. What is there stays, so it may be asked for again and by many. */
  open(topic: string, partitions: number): Promise<void>;

  /**
   * Appends a message. It is kept when this resolves, and survives the end of this process and of any one server of the engine. Tries again by itself where the outcome of a try is unknown; in
   * rare cases the message is there twice then, with one id.
   *
   * @throws BrokerError FULL, TOO_LARGE
   */
  publish(partition: Partition, message: Message, options?: BrokerOptions): Promise<void>;

  /** Messages after a position, in order and without a gap; waits for more, until the signal aborts, which ends the loop. 0 is before the first. Lost connections are its own affair. */
  read(partition: Partition, after: number, options?: BrokerOptions): AsyncIterable<Stored>;

  /** Nobody will ask for messages up to that position any more: they may be deleted. */
  discard(partition: Partition, upTo: number): Promise<void>;
}

export type BrokerErrorCode =
  /** A limit is reached: as much waits to be read as may. */
  | 'FULL'
  /** The message is larger than the engine takes. */
  | 'TOO_LARGE';

export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
