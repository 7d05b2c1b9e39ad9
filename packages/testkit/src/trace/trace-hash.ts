/** A 64-bit hash of everything that happens, in two lanes of 32 bits: the same seed gives the same hash, or something is not deterministic. */
export class TraceHash {
  #low = 0x243f6a88;
  #high = 0x85a308d3;

  /** Folds one whole number below 2^53 in; a fraction is cut off. */
  fold(value: number): void {
    const low = value | 0;
    const high = Math.floor(value / 0x1_0000_0000) | 0;
    const a = Math.imul(this.#low ^ low, 0x9e3779b1);
    const b = Math.imul(this.#high ^ high ^ (a >>> 15), 0x85ebca77);
    this.#low = (a << 13) | (a >>> 19);
    this.#high = (b ^ (b >>> 16) ^ low) | 0;
  }

  foldText(text: string): void {
    this.fold(text.length);
    for (let i = 0; i < text.length; i++) this.fold(text.charCodeAt(i));
  }

  foldBytes(bytes: Uint8Array): void {
    let sum = bytes.length;
    for (let i = 0; i < bytes.length; i++) sum = Math.imul(sum ^ (bytes[i] as number), 0x01000193);
    this.fold(sum >>> 0);
  }

  /** Sixteen hexadecimal digits. */
  toString(): string {
    return (this.#high >>> 0).toString(16).padStart(8, '0') + (this.#low >>> 0).toString(16).padStart(8, '0');
  }
}
