/** Certificates for tests, made by OpenSSL when they are needed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Signed {
  readonly key: string;
  readonly cert: string;
}

/** Makes a CA, and certificates that it has signed; `subject` as OpenSSL takes it, `/C=DE/CN=x`. */
export class CertificateAuthority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'quorate-ca-'));
  readonly cert: string;
  #serial = 0;

  constructor() {
    this.#openssl('req', '-x509', ...KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-nodes', '-subj', '/CN=Test CA');
    this.cert = this.#read('ca.pem');
  }

  sign(subject: string, extensions = ''): Signed {
    const name = `n${++this.#serial}`;
    writeFileSync(join(this.#folder, `${name}.ext`), extensions);
    this.#openssl('req', ...KEY, '-utf8', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    const ca = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
    this.#openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...ca);
    return { key: this.#read(`${name}.key`), cert: this.#read(`${name}.pem`) };
  }

  /** The subject of a certificate by OpenSSL's hand, in RFC 2253. */
  subjectOf(cert: string): string {
    writeFileSync(join(this.#folder, 'seen.pem'), cert);
    const text = this.#openssl('x509', '-in', 'seen.pem', '-noout', '-subject', '-nameopt', 'RFC2253,-esc_msb,utf8');
    return text.trim().replace(/^subject= ?/, '');
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #openssl(...args: string[]): string {
    return execFileSync('openssl', args, { cwd: this.#folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8');
  }
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
