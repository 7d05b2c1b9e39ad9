/** The bytes of hexadecimal pieces; blanks are free, so that fields can stand apart. */
export function hex(...pieces: string[]): Uint8Array {
  const digits = pieces.join('').replaceAll(/\s/g, '');
  if (digits.length % 2 !== 0) throw new Error('half a byte');
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16));
}

/** The hexadecimal digits of bytes. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The body of a frame whose length says what is there. */
export function bodyOf(frame: Uint8Array): Uint8Array {
  const length = new DataView(frame.buffer, frame.byteOffset).getInt32(0);
  if (length !== frame.length - 4) throw new Error(`a frame of ${frame.length} bytes has the length ${length}`);
  return frame.slice(4);
}

/** Whether bytes are equal; for many of them, where `toEqual` would take seconds. */
export function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}
