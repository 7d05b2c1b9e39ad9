import { type EventMessage, encodeServerMessage, JuteWriter } from '@quorate/protocol';

/** The frame of an event, encoded once for all clients of a listener that get it one after the other: they are sent the same message object. */
export class EventFrames {
  readonly #writer = new JuteWriter();
  #event: EventMessage | undefined;
  #frame: Uint8Array = new Uint8Array(0);

  /** Not to be written to. */
  of(event: EventMessage): Uint8Array {
    if (event !== this.#event) {
      this.#frame = encodeServerMessage(event, this.#writer);
      this.#event = event;
    }
    return this.#frame;
  }
}
