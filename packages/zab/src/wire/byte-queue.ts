/** Above this, the room is given back once everything has been taken out. */
const CAPACITY_KEPT_MAX = 64 * 1024;

/**
 * Bytes that have arrived in chunks and are taken out in other sizes.
 *
 * Time is linear in the bytes that come in, memory in the bytes that stand in it.
 */
export class ByteQueue {
  /** Arrived and not taken out is what lies from `#head` up to `#tail`. */
  #bytes = new Uint8Array(0);
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  /** Adds what has arrived. The bytes are copied. */
  push(chunk: Uint8Array): void {
    if (this.#tail + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#tail);
    this.#tail += chunk.length;
  }

  /** The next `count` bytes, which are there, as a view that holds until the next call. */
  peek(count: number): Uint8Array {
    return this.#bytes.subarray(this.#head, this.#head + count);
  }

  /** Takes out the next `count` bytes, which are there, in an array of their own. */
  take(count: number): Uint8Array {
    const taken = this.#bytes.slice(this.#head, this.#head + count);
    this.skip(count);
    return taken;
  }

  skip(count: number): void {
    this.#head += count;
    if (this.#head === this.#tail) this.clear();
  }

  clear(): void {
    this.#head = 0;
    this.#tail = 0;
    if (this.#bytes.length > CAPACITY_KEPT_MAX) this.#bytes = new Uint8Array(0);
  }

  /** Moves or copies what is there to the front. Half of the room is free afterwards, so a byte is moved once on average. */
  #makeRoom(count: number): void {
    const needed = this.length + count;
    if (needed * 2 <= this.#bytes.length) {
      this.#bytes.copyWithin(0, this.#head, this.#tail);
    } else {
      const bytes = new Uint8Array(needed * 2);
      bytes.set(this.#bytes.subarray(this.#head, this.#tail));
      this.#bytes = bytes;
    }
    this.#tail = this.length;
    this.#head = 0;
  }
}
