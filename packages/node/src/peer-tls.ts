/**
 * TLS between servers: each proves who it is to the other. A certificate that the ensemble's own authority has not signed ends the connection within the handshake, so
 * nothing of it reaches a state machine (CVE-2018-8012); and it has to name the host that the config gives for the server that it is used for. That is compared as
 * text, with no look-up of names or addresses (CVE-2026-24281).
 */
import { checkServerIdentity, type PeerCertificate, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { PeerAddress } from './peer-address.js';

export interface PeerTls {
  /** This server's private key, PEM. */
  readonly key: string | Uint8Array;
  /** Its certificate, with those between it and the authority's, PEM. */
  readonly cert: string | Uint8Array;
  /** The certificates of the authorities that sign for servers of this ensemble, PEM. No others are believed, those of the operating system neither. */
  readonly ca: string | Uint8Array;
}

/** What both ends of a connection ask for. */
export function secureContext({ key, cert, ca }: PeerTls): SecureContextOptions & { readonly rejectUnauthorized: true } {
  return { key: Buffer.from(key), cert: Buffer.from(cert), ca: Buffer.from(ca), minVersion: 'TLSv1.2', rejectUnauthorized: true };
}

/** Why a certificate is not that of a server at this address; undefined where it is. */
export function identityFault({ host }: PeerAddress, certificate: PeerCertificate): Error | undefined {
  return checkServerIdentity(host, certificate);
}

/** Whether the other end of a verified connection may be the server at this address. */
export function isFrom(socket: TLSSocket, address: PeerAddress): boolean {
  return socket.authorized && identityFault(address, socket.getPeerCertificate()) === undefined;
}
