/** Clients that speak TLS, and who they are by their certificates. */
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { CreateMode, Ensemble, Permission } from 'quorate';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ClientTls, connect, type Listener, listen } from '../src/index.js';
import { subjectName } from '../src/x500-name.js';
import { ask } from './support/ask.ts';
import { CertificateAuthority, type Signed } from './support/client-certificates.ts';

let ca: CertificateAuthority;
let stranger: CertificateAuthority;
let server: Signed;
let alice: Signed;
let mallory: Signed;

beforeAll(() => {
  ca = new CertificateAuthority();
  stranger = new CertificateAuthority();
  server = ca.sign('/CN=server', 'subjectAltName=IP:127.0.0.1');
  alice = ca.sign('/C=DE/O=Example/CN=alice');
  mallory = stranger.sign('/C=DE/O=Example/CN=alice');
});

afterAll(() => {
  ca.remove();
  stranger.remove();
});

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function served(tls: Partial<ClientTls> = {}): Promise<Listener> {
  const ensemble = await Ensemble.start({ servers: 1 });
  const words = (word: string): string | undefined => (word === 'ruok' ? 'imok' : undefined);
  const listener = await listen(ensemble, { port: 0, handshakeTimeoutMs: 500, words, tls: { ...server, ca: ca.cert, ...tls } });
  closers.push(async () => {
    await listener.close();
    await ensemble.close();
  });
  return listener;
}

/** Who the client is, by the server; undefined where it is not let in. */
async function idsOf(listener: Listener, certificate: Partial<Signed>): Promise<readonly string[] | undefined> {
  const client = await connect(listener.address, { tls: { ca: ca.cert, ...certificate }, signal: AbortSignal.timeout(1_000) }).catch(
    () => undefined,
  );
  if (client === undefined) return undefined;
  closers.push(() => client.close());
  return (await client.whoAmI()).map(({ scheme, id }) => `${scheme}:${id}`);
}

describe('a port for TLS', () => {
  test('takes a client with a certificate of those who sign for clients, which is then its id', async () => {
    const listener = await served();
    expect(await idsOf(listener, alice)).toEqual(['ip:127.0.0.1', 'x509:CN=alice,O=Example,C=DE']);
  });

  test('takes nobody with a certificate of others, or with none', async () => {
    const listener = await served();
    expect(await idsOf(listener, mallory)).toBeUndefined();
    expect(await idsOf(listener, {})).toBeUndefined();
    await expect.poll(() => listener.connectionCount).toBe(0);
  });

  test.each<[NonNullable<ClientTls['clientCertificates']>, readonly (readonly string[] | undefined)[]]>([
    ['OPTIONAL', [['ip:127.0.0.1', 'x509:CN=alice,O=Example,C=DE'], ['ip:127.0.0.1']]],
    ['NONE', [['ip:127.0.0.1'], ['ip:127.0.0.1']]],
  ])('where certificates are %s', async (clientCertificates, expected) => {
    const listener = await served({ clientCertificates });
    expect([await idsOf(listener, alice), await idsOf(listener, {})]).toEqual(expected);
    expect(await idsOf(listener, mallory)).toEqual(clientCertificates === 'NONE' ? ['ip:127.0.0.1'] : undefined);
  });

  test('does not take what is not TLS, nor wait for it for long', async () => {
    const listener = await served();
    expect(await ask(listener.address, 'ruok')).not.toContain('imok');
    expect(await ask(listener.address, '')).toBe('');
  });

  test('answers words', async () => {
    const listener = await served();
    const socket = connectTls({ port: listener.port, host: '127.0.0.1', ca: ca.cert, ...alice }, () => socket.write('ruok'));
    const [data] = await once(socket, 'data');
    expect(String(data)).toBe('imok');
    await once(socket, 'close');
  });
});

describe('one port for both', () => {
  test('tells them apart by the first byte', async () => {
    const listener = await served({ alsoPlain: true });
    expect(await idsOf(listener, alice)).toContain('x509:CN=alice,O=Example,C=DE');
    expect(await ask(listener.address, 'ruok')).toBe('imok');
    const plain = await connect(listener.address);
    closers.push(() => plain.close());
    expect(await plain.whoAmI()).toEqual([{ scheme: 'ip', id: '127.0.0.1' }]);
    // Somebody who says nothing does not keep his place.
    expect(await ask(listener.address, '')).toBe('');
  });
});

describe('a client', () => {
  test('does not speak with a server whose certificate is of others, or is for another address', async () => {
    const listener = await served({ clientCertificates: 'NONE' });
    const elsewhere = await served({ ...ca.sign('/CN=127.0.0.1', 'subjectAltName=IP:10.0.0.1'), clientCertificates: 'NONE' });
    const tries = [
      connect(listener.address, { tls: { ca: stranger.cert }, signal: AbortSignal.timeout(500) }),
      connect(elsewhere.address, { tls: { ca: ca.cert }, signal: AbortSignal.timeout(500) }),
    ];
    for (const attempt of tries) await expect(attempt).rejects.toThrow();
  });
});

test('an ACL names a certificate, by its subject or as whoever has created the znode', async () => {
  const listener = await served({ clientCertificates: 'OPTIONAL' });
  const tls = { ca: ca.cert };
  const owner = await connect(listener.address, { tls: { ...tls, ...alice }, signal: AbortSignal.timeout(5_000) });
  const other = await connect(listener.address, { tls, signal: AbortSignal.timeout(5_000) });
  closers.push(
    () => owner.close(),
    () => other.close(),
  );
  await owner.create('/auth', '', { acl: [{ perms: Permission.ALL, id: { scheme: 'auth', id: '' } }] });
  expect((await owner.getACL('/auth')).acl).toEqual([{ perms: Permission.ALL, id: { scheme: 'x509', id: 'CN=alice,O=Example,C=DE' } }]);
  await owner.create('/own', '', {
    acl: [{ perms: Permission.ALL, id: { scheme: 'x509', id: 'CN=alice,O=Example,C=DE' } }],
    mode: CreateMode.EPHEMERAL,
  });
  for (const path of ['/auth', '/own']) {
    await expect(other.getData(path)).rejects.toMatchObject({ code: 'NO_AUTH' });
    await owner.getData(path);
  }
  await owner.addAuth('x509', '');
  await expect(other.addAuth('x509', '')).rejects.toMatchObject({ code: 'AUTH_FAILED' });
});

test.each([
  '/CN=client',
  '/C=DE/ST=Berlin/L=Berlin/O=Example, Inc./CN=x "y" <z>; a=b#',
  '/DC=com/DC=example/UID=jd/CN= leading and trailing ',
  '/CN=#hash/O=Müller & Söhne',
])('the subject %j is written as OpenSSL writes it', (subject) => {
  const { cert } = ca.sign(subject);
  const der = Buffer.from(cert.replace(/-----[A-Z ]+-----|\n/g, ''), 'base64');
  expect(subjectName(der)).toBe(ca.subjectOf(cert));
});

// Where OpenSSL writes it in another way, as Java's X500Principal.getName has written it.
test.each([
  ['/CN=x/emailAddress=a@b.c', '1.2.840.113549.1.9.1=#16056140622e63,CN=x'],
  ['/CN=one+OU=two/O=three', 'O=three,CN=one+OU=two'],
])('the subject %j is written as Java writes it', (subject, expected) => {
  const { cert } = ca.sign(subject);
  const der = Buffer.from(cert.replace(/-----[A-Z ]+-----|\n/g, ''), 'base64');
  expect(subjectName(der)).toBe(expected);
});

test.each<[object, string]>([
  [{ key: 'x' }, 'tls.key must be a key as PEM'],
  [{ cert: 'x' }, 'tls.cert must be a certificate as PEM'],
  [{ ca: undefined }, "tls.ca must be the certificates of those who sign for clients, as PEM; or say clientCertificates: 'NONE'"],
  [{ clientCertificates: 'MAYBE' }, 'tls.clientCertificates must be REQUIRED, OPTIONAL or NONE'],
])('%j is refused by its rule', async (tls, message) => {
  await expect(served(tls as ClientTls)).rejects.toThrow(message);
});
