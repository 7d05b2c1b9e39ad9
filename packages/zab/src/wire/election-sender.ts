/**
 * The notifications to one peer: a channel that is opened when there is something to say, one notification underway on it, and behind that the newest alone.
 *
 * The peer acknowledges each by an empty frame. So old notifications never pile up in front of the newest, and a channel over which nothing gets through any
 * more – its peer has lost power, or a router has forgotten it – is found by the silence and given up, where TCP alone may take a quarter of an hour.
 * What is lost with a channel is not sent again: the core repeats what still counts.
 */
import type { Clock, Timer } from '@quorate/ports';
import type { JuteWriter } from '@quorate/protocol';
import type { Notification } from '../messages.js';
import type { FramedLink, LinkHandler } from './framed-link.js';
import { encodeNotification } from './message-codec.js';

export interface ElectionSenderOptions {
  readonly clock: Clock;
  /** How long an acknowledgement may take. */
  readonly answerTimeoutMs: number;
  readonly writer: JuteWriter;
  readonly open: () => FramedLink;
}

export class ElectionSender implements LinkHandler {
  readonly #options: ElectionSenderOptions;
  #link: FramedLink | undefined;
  /** Not sent yet. */
  #newest: Notification | undefined;
  /** The next notification can be sent: the channel is open, and everything on it has been acknowledged. */
  #isFree = false;
  #timer: Timer | undefined;

  constructor(options: ElectionSenderOptions) {
    this.#options = options;
  }

  send(notification: Notification): void {
    this.#newest = notification;
    if (this.#link === undefined) {
      this.#link = this.#options.open();
      this.#link.handle(this);
    }
    this.#sendNewest();
  }

  /** Ends, with no word to anybody. */
  stop(): void {
    this.#timer?.cancel();
  }

  onOpen(): void {
    this.#isFree = true;
    this.#sendNewest();
  }

  /** An acknowledgement. */
  onBody(body: Uint8Array): void {
    if (body.length > 0 || this.#isFree) {
      this.#link?.fail({
        rule: 'BAD_MESSAGE',
        message: 'an election channel carries notifications one way and acknowledgements the other',
      });
      return;
    }
    this.#timer?.cancel();
    this.#isFree = true;
    this.#sendNewest();
  }

  /** The channel has closed, or could not be opened. What has not been sent is not kept: the next notification is newer. */
  onClose(): void {
    this.#timer?.cancel();
    this.#link = undefined;
    this.#isFree = false;
  }

  #sendNewest(): void {
    const { clock, answerTimeoutMs, writer } = this.#options;
    const link = this.#link;
    if (!this.#isFree || link === undefined || this.#newest === undefined) return;
    link.send(encodeNotification(this.#newest, writer));
    this.#newest = undefined;
    this.#isFree = false;
    this.#timer = clock.setTimer(answerTimeoutMs, () => link.giveUp());
  }
}
