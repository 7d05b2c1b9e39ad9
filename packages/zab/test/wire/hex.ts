/** The bytes of hexadecimal digits; blanks are free, so that fields can stand apart. */
export function hex(...pieces: string[]): Uint8Array {
  const digits = pieces.join('').replaceAll(/\s/g, '');
  if (digits.length % 2 !== 0) throw new Error('half a byte');
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
