import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import { parseCertificatesPem } from '@bulla/trust/x509/certificate';

/** The files of a TLS listener, in PEM. They are read again when they change. */
export interface TlsFiles {
  /** The chain: the server's own certificate first. */
  readonly certificate: string;
  readonly key: string;
  /** The authorities of client certificates (mTLS); without it none is asked for. */
  readonly clientCa?: string;
  /** Whether a client must show a certificate. Default `required`. */
  readonly clientAuth?: 'required' | 'optional';
  /** The oldest TLS that is spoken. Default `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** What the files held at one moment, checked. */
export interface Credentials {
  readonly context: SecureContextOptions;
  /** Tells whether files read later are the same. */
  readonly fingerprint: string;
  readonly notAfter: Date;
}

const MOST_BYTES = 1 << 20;

/** The bytes of the files, and a hash over all of them. */
export interface ReadFiles {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | null;
  readonly fingerprint: string;
}

/** Reads the files. Throws `http.tls-invalid` for one that cannot be read or is over 1 MiB. */
export async function readTlsFiles(files: TlsFiles): Promise<ReadFiles> {
  const [certificate, key, clientCa] = await Promise.all([
    readPem(files.certificate),
    readPem(files.key),
    files.clientCa === undefined ? null : readPem(files.clientCa),
  ]);
  const hash = createHash('sha256');
  for (const bytes of [certificate, key, clientCa]) hash.update(`${bytes?.length ?? -1} `);
  for (const bytes of [certificate, key, clientCa]) hash.update(bytes ?? '');
  return { certificate, key, clientCa, fingerprint: hash.digest('hex') };
}

async function readPem(path: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new TrustFault('http.tls-invalid', `cannot read ${quote(path)}`, undefined, { cause });
  }
  if (bytes.length > MOST_BYTES) {
    throw new TrustFault('http.tls-invalid', `${quote(path)} is larger than 1 MiB`);
  }
  return bytes;
}

/**
 * Checks that the key belongs to the certificate, that the certificate is valid at `at`, and that
 * the client authorities can be read. Throws `http.tls-invalid`.
 */
export function checkTlsFiles(read: ReadFiles, files: TlsFiles, at: Date): Credentials {
  const where = quote(files.certificate);
  let leaf: X509Certificate;
  const context: SecureContextOptions = {
    cert: read.certificate,
    key: read.key,
    ...(read.clientCa === null ? {} : { ca: read.clientCa }),
    minVersion: files.minVersion ?? 'TLSv1.2',
  };
  try {
    leaf = new X509Certificate(read.certificate);
    createSecureContext(context);
  } catch (cause) {
    const message = `${where} and ${quote(files.key)} are no certificate with its key`;
    throw new TrustFault('http.tls-invalid', message, undefined, { cause });
  }
  if (read.clientCa !== null && files.clientCa !== undefined) {
    requireAuthorities(read.clientCa, files.clientCa);
  }
  const { validFromDate, validToDate } = leaf;
  if (at < validFromDate || at > validToDate) {
    const period = `${validFromDate.toISOString()} to ${validToDate.toISOString()}`;
    throw new TrustFault('http.tls-invalid', `${where} is valid from ${period}, which is not now`);
  }
  return { context, fingerprint: read.fingerprint, notAfter: validToDate };
}

/** An empty bundle would leave the machine's own authorities in force. */
function requireAuthorities(pem: Buffer, path: string): void {
  let found: number;
  try {
    found = parseCertificatesPem(pem.toString('latin1'), quote(path)).length;
  } catch (error) {
    throw new TrustFault('http.tls-invalid', asFault(error).message, undefined, { cause: error });
  }
  if (found === 0) {
    throw new TrustFault('http.tls-invalid', `${quote(path)} holds no certificate`);
  }
}
