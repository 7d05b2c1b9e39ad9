/**
 * The subject of a certificate as ZooKeeper writes it in an ACL of the scheme `x509`: RFC 2253, the last attribute first, `CN=client,O=Example`
 * (Java: `X500Principal.getName`). An attribute whose name RFC 2253 does not have stands there as its OID, and its value as the hexadecimal DER.
 */

/** RFC 2253, section 2.3. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
]);

const BMP_STRING = 0x1e;
/** UTF8String, PrintableString, TeletexString, IA5String. */
const BYTE_STRINGS: ReadonlyMap<number, string> = new Map([
  [0x0c, 'utf-8'],
  [0x13, 'latin1'],
  [0x14, 'latin1'],
  [0x16, 'latin1'],
]);
const VERSION = 0xa0;

/** One element of DER. */
interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly whole: Uint8Array;
}

/** @param der a certificate. @throws RangeError for bytes that are none. */
export function subjectName(der: Uint8Array): string {
  const certificate = elements(elements(der)[0]?.content)[0];
  const fields = elements(certificate?.content);
  // version, serialNumber, signature, issuer, validity, subject; the first may be absent.
  const subject = fields[fields[0]?.tag === VERSION ? 5 : 4];
  return elements(subject?.content).map(relativeName).reverse().join(',');
}

function relativeName({ content }: Element): string {
  return elements(content).map(attribute).join('+');
}

function attribute({ content }: Element): string {
  const [type, value] = elements(content);
  if (type === undefined || value === undefined) throw new RangeError('an attribute has a type and a value');
  const oid = objectId(type.content);
  const name = NAMES.get(oid);
  const text = name === undefined ? undefined : textOf(value);
  return text === undefined ? `${name ?? oid}=#${Buffer.from(value.whole).toString('hex')}` : `${name}=${escaped(text)}`;
}

function textOf({ tag, content }: Element): string | undefined {
  const encoding = BYTE_STRINGS.get(tag);
  if (encoding !== undefined) return Buffer.from(content).toString(encoding as BufferEncoding);
  return tag === BMP_STRING ? Buffer.from(content).swap16().toString('utf16le') : undefined;
}

/** RFC 2253, section 2.4. */
function escaped(text: string): string {
  return text
    .replace(/[,+"\\<>;]/g, '\\$&')
    .replace(/^[ #]/, '\\$&')
    .replace(/(?<!\\) $/, '\\ ');
}

function objectId(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of bytes) {
    number = number * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    // The first two numbers share one: 40 times the first, which is 0, 1 or 2, plus the second.
    if (numbers.length === 0) numbers.push(Math.min(2, Math.floor(number / 40)), number - 40 * Math.min(2, Math.floor(number / 40)));
    else numbers.push(number);
    number = 0;
  }
  return numbers.join('.');
}

/** The elements that stand one behind the other in `bytes`. */
function elements(bytes: Uint8Array | undefined): readonly Element[] {
  if (bytes === undefined) throw new RangeError('a certificate is a nest of DER elements');
  const all: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const short = bytes[at + 1] ?? 0;
    const count = short < 0x80 ? 0 : short & 0x7f;
    let length = count === 0 ? short : 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0);
    const begin = at + 2 + count;
    if (begin + length > bytes.length) throw new RangeError('an element of DER ends before its length');
    all.push({ tag: bytes[at] as number, content: bytes.subarray(begin, begin + length), whole: bytes.subarray(at, begin + length) });
    at = begin + length;
  }
  return all;
}
