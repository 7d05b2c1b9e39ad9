/** Of how many connections each address is the source. */
const CONNECTIONS_PER_ADDRESS = 50;

/** Addresses of this machine, from 127.`net`.0.1 on, each so many times: all of 127.0.0.0/8 is the loopback. */
export function* addressesFrom(net: number): Generator<string, never> {
  for (let count = CONNECTIONS_PER_ADDRESS; ; count++) {
    const host = Math.floor(count / CONNECTIONS_PER_ADDRESS);
    yield `127.${net + (host >> 16)}.${(host >> 8) & 0xff}.${host & 0xff}`;
  }
}
