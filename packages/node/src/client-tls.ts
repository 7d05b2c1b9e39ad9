/** TLS on a client port, and who its clients are by their certificates (ZooKeeper: `X509AuthenticationProvider`). */
import type { Socket } from 'node:net';
import { createServer, type Server, TLSSocket, type TlsOptions } from 'node:tls';
import type { Id } from '@quorate/protocol';
import { subjectName } from './x500-name.js';

/** Keys and certificates are PEM. */
export interface ClientTls {
  readonly key: string | Uint8Array;
  readonly cert: string | Uint8Array;
  /** Of the key, where it has one. */
  readonly passphrase?: string | undefined;
  /** Who signs the certificates of clients. */
  readonly ca?: string | Uint8Array | undefined;
  /** Whether a client must have a certificate that `ca` has signed; may have one; or is not asked (`ssl.clientAuth`). `REQUIRED` when absent. */
  readonly clientCertificates?: 'REQUIRED' | 'OPTIONAL' | 'NONE' | undefined;
  /** Whether clients without TLS are taken on the same port; false when absent (`client.portUnification`). */
  readonly alsoPlain?: boolean | undefined;
}

/** The first byte of a TLS connection: that of a handshake record. A ZooKeeper client begins with 0, and a four-letter word with a letter. */
export const TLS_HANDSHAKE = 0x16;

/** @throws TypeError that names what is missing. It repeats nothing of a key. */
export function checkClientTls({ key, cert, ca, clientCertificates = 'REQUIRED' }: ClientTls): void {
  if (!isPem(key)) throw new TypeError('tls.key must be a key as PEM');
  if (!isPem(cert)) throw new TypeError('tls.cert must be a certificate as PEM');
  if (!['REQUIRED', 'OPTIONAL', 'NONE'].includes(clientCertificates))
    throw new TypeError('tls.clientCertificates must be REQUIRED, OPTIONAL or NONE');
  if (clientCertificates !== 'NONE' && !isPem(ca))
    throw new TypeError("tls.ca must be the certificates of those who sign for clients, as PEM; or say clientCertificates: 'NONE'");
}

/** What makes plain sockets secure ones: `connection` is emitted with each, `secureConnection` comes with a client that may go on. */
export function tlsServer(tls: ClientTls, handshakeTimeoutMs: number): Server {
  return createServer(tlsOptions(tls, handshakeTimeoutMs));
}

export function tlsOptions(tls: ClientTls, handshakeTimeoutMs: number): TlsOptions {
  const { key, cert, passphrase, ca, clientCertificates = 'REQUIRED' } = tls;
  return {
    key: pem(key),
    cert: pem(cert),
    passphrase,
    ca: ca === undefined ? undefined : pem(ca),
    requestCert: clientCertificates !== 'NONE',
    // Where a client may come without one, it is looked at afterwards.
    rejectUnauthorized: clientCertificates === 'REQUIRED',
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshakeTimeoutMs,
  };
}

/** Whether the client has shown a certificate that nobody has signed who signs for clients. */
export function isStranger(socket: TLSSocket): boolean {
  return !socket.authorized && socket.getPeerX509Certificate() !== undefined;
}

/** What the certificate of a client proves; nothing on a socket without one. */
export function certificateIds(socket: Socket): readonly Id[] {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return [];
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? [] : [{ scheme: 'x509', id: subjectName(certificate.raw) }];
}

function isPem(value: string | Uint8Array | undefined): boolean {
  return value !== undefined && pem(value).includes('-----BEGIN ');
}

function pem(value: string | Uint8Array): string {
  return typeof value === 'string' ? value : new TextDecoder().decode(value);
}
