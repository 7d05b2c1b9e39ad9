/** Adler-32 (RFC 1950), the checksum of Apache ZooKeeper's files. */

const MODULUS = 65_521;
/** So many bytes can be added up before a sum leaves 32 bits. */
const BYTES_BEFORE_MODULO = 5_552;

export class Adler32 {
  #a = 1;
  #b = 0;

  add(bytes: Uint8Array): this {
    let [a, b] = [this.#a, this.#b];
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + BYTES_BEFORE_MODULO);
      for (; at < end; at++) {
        a += bytes[at] as number;
        b += a;
      }
      a %= MODULUS;
      b %= MODULUS;
    }
    [this.#a, this.#b] = [a, b];
    return this;
  }

  /** Of all bytes so far, a uint32. */
  get value(): number {
    return ((this.#b << 16) | this.#a) >>> 0;
  }
}

export function adler32(bytes: Uint8Array): number {
  return new Adler32().add(bytes).value;
}
