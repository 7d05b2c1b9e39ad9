/**
 * The scheme `ip` (`IPAuthenticationProvider`): a client is where its connection comes from, and an ACL names an address, or a network by an address and a
 * number of bits, `10.1.0.0/16`.
 *
 * IPv6 is known since ZooKeeper 3.9.5. An IPv4 address that a dual-stack socket shows as IPv6, `::ffff:10.0.0.1`, is the IPv4 address, as in Java.
 */

/** Whether an ACL may name this id. */
export function isIpId(id: string): boolean {
  return networkOf(id) !== undefined;
}

/** Whether the address lies in the network that an ACL names. */
export function isInNetwork(address: string, id: string): boolean {
  const network = networkOf(id);
  const bytes = bytesOf(address);
  if (network === undefined || bytes === undefined || bytes.length !== network.bytes.length) return false;
  const whole = network.bits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== network.bytes[i]) return false;
  const mask = 0xff00 >> (network.bits & 7);
  return whole === bytes.length || (((bytes[whole] as number) ^ (network.bytes[whole] as number)) & mask & 0xff) === 0;
}

interface Network {
  readonly bytes: readonly number[];
  readonly bits: number;
}

function networkOf(id: string): Network | undefined {
  const slash = id.indexOf('/');
  const bytes = bytesOf(slash === -1 ? id : id.slice(0, slash));
  if (bytes === undefined) return undefined;
  const bits = slash === -1 ? bytes.length * 8 : numberOf(id.slice(slash + 1));
  return bits !== undefined && bits <= bytes.length * 8 ? { bytes, bits } : undefined;
}

/** Four bytes or sixteen. */
function bytesOf(address: string): readonly number[] | undefined {
  if (!address.includes(':')) return fourBytesOf(address);
  const bytes = sixteenBytesOf(address);
  const isMapped = bytes?.every((byte, index) => index >= 12 || byte === (index < 10 ? 0 : 0xff)) ?? false;
  return isMapped ? bytes?.slice(12) : bytes;
}

function fourBytesOf(address: string): readonly number[] | undefined {
  const parts = address.split('.');
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    const byte = numberOf(part);
    if (byte === undefined || byte > 255) return undefined;
    bytes.push(byte);
  }
  return bytes;
}

/** Eight groups, of which one run of zeros may be left out, and the last two may be written as an IPv4 address. */
function sixteenBytesOf(address: string): readonly number[] | undefined {
  const [head, tail, ...more] = address.split('::');
  if (head === undefined || more.length > 0) return undefined;
  const before = groupsOf(head, tail === undefined);
  const after = tail === undefined ? [] : groupsOf(tail, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = 16 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...before, ...new Array<number>(missing).fill(0), ...after];
}

function groupsOf(text: string, mayEndInFour: boolean): number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i] as string;
    if (mayEndInFour && i === groups.length - 1 && group.includes('.')) {
      const four = fourBytesOf(group);
      if (four === undefined) return undefined;
      bytes.push(...four);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

/** As Java's `Integer.parseInt` reads it: leading zeros and a plus are let through. */
function numberOf(text: string): number | undefined {
  return /^\+?[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
}
