/**
 * A stream of bytes over datagrams, which may be lost, doubled and swapped: segments with numbers, acknowledged cumulatively, sent again until they are. It is made
 * for a few servers in one network, not for the internet: the window is fixed, and nobody looks for congestion.
 */
import { Duplex } from 'node:stream';
import type { Clock, Timer } from '@quorate/ports';

/** What one datagram says. DATA: a segment. FIN: the last. ACK: all segments below `number` are here. RESET: there is no such stream any more. */
export interface Segment {
  readonly type: 'DATA' | 'FIN' | 'ACK' | 'RESET';
  readonly number: number;
  readonly payload: Uint8Array;
}

/** Payload of a segment, in bytes: with its headers it fits into what every network carries in one piece. */
const PAYLOAD_BYTES_MAX = 1_200;

/** Segments that are underway, or wait for one before them, at a time: as many as the receive buffer of a socket takes by default, and room for a second stream. */
const WINDOW_SEGMENTS = 40;

/** Segments that wait for the window before nothing more is taken to be sent. */
const QUEUE_SEGMENTS_MAX = 64;

/** How long an acknowledgement may take before everything that lacks one is sent again, in milliseconds; doubled each time, up to the maximum. */
const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 500;

/** Sent so often without an answer, the peer is gone: after about four seconds. */
const TRIES_MAX = 12;

/** So many acknowledgements of the same place say that the segment there is lost. */
const REPEATS_OF_LOSS = 3;

const NOTHING = new Uint8Array(0);

export class UdpStream extends Duplex {
  readonly #clock: Clock;
  readonly #transmit: (segment: Segment) => void;
  readonly #onEnd: () => void;
  /** Not acknowledged, in order; the first `#underway` of them are sent. */
  readonly #unacknowledged: Segment[] = [];
  #underway = 0;
  #nextNumber = 0;
  #repeats = 0;
  #tries = 0;
  #timer: Timer | undefined;
  /** Whoever waits for room in the queue. */
  #onRoom: (() => void) | undefined;
  #onFinished: (() => void) | undefined;
  /** The number of the segment that is read next; those behind it wait. */
  #expected = 0;
  readonly #early = new Map<number, Segment>();

  /**
   * @param transmit sends a datagram, as well as it goes.
   * @param onEnd called once, when nothing of it is left.
   */
  constructor(clock: Clock, transmit: (segment: Segment) => void, onEnd: () => void) {
    super({ allowHalfOpen: false });
    this.#clock = clock;
    this.#transmit = transmit;
    this.#onEnd = onEnd;
  }

  /** A datagram of its peer's has come. */
  receive(segment: Segment): void {
    if (this.destroyed) return;
    if (segment.type === 'ACK') this.#onAck(segment.number);
    else if (segment.type === 'RESET') this.destroy();
    else this.#onSegment(segment);
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    for (let at = 0; at < chunk.length; at += PAYLOAD_BYTES_MAX) this.#queue('DATA', chunk.slice(at, at + PAYLOAD_BYTES_MAX));
    this.#onRoom = done;
    this.#pump();
  }

  override _final(done: () => void): void {
    this.#onFinished = done;
    this.#queue('FIN', NOTHING);
    this.#pump();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#timer?.cancel();
    // It may be lost; then the silence tells.
    this.#transmit({ type: 'RESET', number: 0, payload: NOTHING });
    this.#onEnd();
    done(error);
  }

  #queue(type: 'DATA' | 'FIN', payload: Uint8Array): void {
    this.#unacknowledged.push({ type, number: this.#nextNumber++, payload });
  }

  /** Sends what the window lets through. */
  #pump(): void {
    while (this.#underway < this.#unacknowledged.length && this.#underway < WINDOW_SEGMENTS)
      this.#transmit(this.#unacknowledged[this.#underway++] as Segment);
    if (this.#underway > 0) this.#timer ??= this.#clock.setTimer(Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#tries), this.#onTimeout);
    if (this.#unacknowledged.length - this.#underway > QUEUE_SEGMENTS_MAX) return;
    const room = this.#onRoom;
    this.#onRoom = undefined;
    room?.();
  }

  readonly #onTimeout = (): void => {
    this.#timer = undefined;
    this.#tries++;
    if (this.#tries >= TRIES_MAX) {
      this.destroy();
      return;
    }
    this.#underway = 0;
    this.#pump();
  };

  #onAck(number: number): void {
    const first = this.#unacknowledged[0];
    if (first === undefined || number < first.number || number > this.#nextNumber) return;
    if (number === first.number) {
      this.#repeats++;
      if (this.#repeats === REPEATS_OF_LOSS) this.#transmit(first);
      return;
    }
    const count = number - first.number;
    this.#unacknowledged.splice(0, count);
    this.#underway = Math.max(0, this.#underway - count);
    this.#repeats = 0;
    this.#tries = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#unacknowledged.length === 0) this.#onFinished?.();
    this.#pump();
  }

  #onSegment(segment: Segment): void {
    const { number } = segment;
    if (number >= this.#expected && number < this.#expected + WINDOW_SEGMENTS) this.#early.set(number, segment);
    for (let next = this.#early.get(this.#expected); next !== undefined; next = this.#early.get(this.#expected)) {
      this.#early.delete(this.#expected++);
      this.push(next.type === 'FIN' ? null : next.payload);
    }
    this.#transmit({ type: 'ACK', number: this.#expected, payload: NOTHING });
  }
}
