/** A learner channel over a link: messages to bodies and back. */
import { isProtocolError, type JuteWriter, type Zxid } from '@quorate/protocol';
import type { Run } from '../log.js';
import type { Message } from '../messages.js';
import type { Channel, ChannelHandler } from '../transport.js';
import type { FramedLink, LinkHandler } from './framed-link.js';
import { decodeMessage, encodeMessage } from './message-codec.js';

/**
 * A run with more bytes of payload is sent as several, which says the same: 1 MiB, as much as one payload can have that comes from a client of ZooKeeper.
 * A payload that is larger travels alone.
 */
export const RUN_BYTES_MAX = 1024 * 1024;

export class FramedChannel implements Channel, LinkHandler {
  readonly #link: FramedLink;
  readonly #writer: JuteWriter;
  #handler: ChannelHandler | undefined;

  constructor(link: FramedLink, writer: JuteWriter) {
    this.#link = link;
    this.#writer = writer;
    link.handle(this);
  }

  /** Sets who is told what arrives. */
  handle(handler: ChannelHandler): void {
    this.#handler = handler;
  }

  /** @throws RangeError where a message is larger than `FRAME_BODY_BYTES_MAX`: one payload of it is. */
  send(message: Message): void {
    if (this.#link.isClosed) return;
    if (message.type !== 'PROPOSAL' && message.type !== 'INFORM') {
      this.#link.send(encodeMessage(message, this.#writer));
      return;
    }
    for (const run of cutRun(message.run, RUN_BYTES_MAX)) this.#link.send(encodeMessage({ type: message.type, run }, this.#writer));
  }

  awaitRoom(ready: () => void): void {
    this.#link.awaitRoom(ready);
  }

  close(): void {
    this.#link.close();
  }

  onOpen(): void {}

  onBody(body: Uint8Array): void {
    const message = this.#decode(body);
    if (message !== undefined) this.#handler?.onMessage(message);
  }

  onClose(): void {
    this.#handler?.onClose();
  }

  #decode(body: Uint8Array): Message | undefined {
    try {
      return decodeMessage(body);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.#link.fail({ rule: 'BAD_MESSAGE', message: error.message });
      return undefined;
    }
  }
}

/** The run in parts that have at most `bytesMax` bytes of payload each, or one payload alone. */
export function cutRun(run: Run, bytesMax: number): readonly Run[] {
  const parts: Run[] = [];
  let start = 0;
  let bytes = 0;
  for (let i = 0; i < run.payloads.length; i++) {
    const { length } = run.payloads[i] as Uint8Array;
    if (i > start && bytes + length > bytesMax) {
      parts.push(part(run, start, i));
      start = i;
      bytes = 0;
    }
    bytes += length;
  }
  parts.push(part(run, start, run.payloads.length));
  return parts;
}

function part(run: Run, start: number, end: number): Run {
  if (end - start === run.payloads.length) return run;
  return { zxid: (run.zxid + start) as Zxid, payloads: run.payloads.slice(start, end) };
}
