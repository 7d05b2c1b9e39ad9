/** The number of the request after the one with this number: a positive int32, 1 after the greatest (ZOOKEEPER-1485). 0 is before the first. */
export function nextXid(xid: number): number {
  return xid === 0x7fff_ffff ? 1 : xid + 1;
}
