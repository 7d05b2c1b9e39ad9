import type { Zxid } from '@quorate/protocol';

/**
 * What an application above Zab says to its leader, in the bytes of ZooKeeper's server. Zab carries payloads as they are; a leader that is Apache's knows no others than
 * these. Payloads of proposals and what is behind SNAP are passed on as they come.
 */
export interface ZookeeperPayloads {
  /** Of a REQUEST: the data of its packet, and the list of ids as bytes. */
  request(payload: Uint8Array): { readonly data: Uint8Array; readonly authinfo: Uint8Array };
  /** The data of a REQUEST that is answered by SYNC. */
  syncRequest(): Uint8Array;
  /** Of a REVALIDATE to the leader: the data of as many packets as it takes. */
  revalidations(payload: Uint8Array): readonly Uint8Array[];
  /**
   * The payload for the leader's answer to one of these.
   *
   * @param lastZxid of the last txn that the leader has sent.
   * @throws ProtocolError where the data are no answer.
   */
  revalidated(data: Uint8Array, lastZxid: Zxid): Uint8Array;
  /** Of the answer to a PING. */
  heartbeat(payload: Uint8Array): Uint8Array;
}
