/** What the processes of the example agree on. */

/** What a consumer is told when it is started. */
export interface Orders {
  readonly connectString: string;
  /** Where `nats-server` is; messages are in znodes when absent. */
  readonly nats?: string | undefined;
  readonly topic: string;
  readonly group: string;
  readonly name: string;
  /** The folder of the ledgers. */
  readonly ledgers: string;
}

/** Where messages in znodes are. */
export const MESSAGES = '/messages';

/** The body of a message that no consumer can handle. */
export const SPOILT = 'spoilt';
export const SPOILT_MESSAGES = 5;

/** Short, so that the example is: whoever dies is missed after that, in milliseconds. */
export const SESSION_TIMEOUT_MS = 3_000;
