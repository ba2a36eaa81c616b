import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { type KeyFileText, writeKeyFiles } from '@bulla/trust/keys/file/write';
import { addressBytes } from '../address.ts';
import {
  daysLeft,
  isIssuedFor,
  issueAuthority,
  issueServer,
  type Pair,
  vouchesFor,
} from './issue.ts';

/** What the certificates are for. */
export interface LocalCaOptions {
  /** Made when missing, for its owner alone. */
  readonly folder: string;
  /** Names and addresses of this server beside `localhost`, `127.0.0.1` and `::1`. */
  readonly names?: readonly string[];
  readonly at: Date;
}

/** Files of a local CA and of a server that it vouches for, in PEM. */
export interface LocalCa {
  /** What clients are told to trust. */
  readonly caFile: string;
  /** The server's certificate and the CA's. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** SHA-256 of the CA's certificate, for people to compare: 64 hexadecimal digits. */
  readonly caSha256: string;
  /** When the server's certificate ends. */
  readonly notAfter: Date;
  /** `authority`: clients have to trust it anew. */
  readonly made: 'authority' | 'certificate' | 'nothing';
}

const CA_DAYS = 3650;
const LEAF_DAYS = 90;
const RENEW_DAYS = 30;
const ALWAYS = ['localhost', '127.0.0.1', '::1'] as const;
const DNS_NAME =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/**
 * The local CA of a folder and a server certificate by it, made where they are missing, damaged, or
 * cover other names. The CA (ECDSA P-256, 10 years) can vouch for these names only; the certificate
 * lasts 90 days and is made anew when under 30 are left. Keys are 0600, certificates 0644, each
 * written whole or not at all. Throws `http.tls-invalid` for a name that no certificate can have and
 * for a folder that cannot be written.
 */
export async function ensureLocalCa(options: LocalCaOptions): Promise<LocalCa> {
  const { folder, at } = options;
  // Sorted: another order in the configuration must not make clients trust a new CA.
  const extra = (options.names ?? []).map(checkedName).sort();
  const names = [...new Set([...ALWAYS, ...extra])];
  const caFile = join(folder, 'ca.pem');
  const certificateFile = join(folder, 'server.pem');
  const keyFile = join(folder, 'server-key.pem');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const kept = await readPair(caFile, join(folder, 'ca-key.pem'));
    const ca =
      kept !== null && isUsableCa(kept, names, at) ? kept : await makeCa(folder, caFile, names, at);
    const leaf = ca === kept ? await readPair(certificateFile, keyFile) : null;
    const fresh = leaf !== null && isUsableLeaf(leaf, ca, names, at);
    const served = fresh ? leaf : await makeLeaf({ certificateFile, keyFile }, ca, names, at);
    return {
      caFile,
      certificateFile,
      keyFile,
      caSha256: ca.certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      notAfter: served.certificate.validToDate,
      made: ca !== kept ? 'authority' : fresh ? 'nothing' : 'certificate',
    };
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    const message = `cannot keep certificates in ${quote(folder)}`;
    throw new TrustFault('http.tls-invalid', message, 'Let the server write the folder.', {
      cause,
    });
  }
}

function checkedName(name: string): string {
  const lower = name.toLowerCase();
  if (addressBytes(lower) !== null || DNS_NAME.test(lower)) return lower;
  throw new TrustFault(
    'http.tls-invalid',
    `expected a host name or an address, found ${quote(name)}`,
  );
}

/** Null when either file is missing or cannot be read as what it should be. */
async function readPair(certificateFile: string, keyFile: string): Promise<Pair | null> {
  try {
    const certificate = new X509Certificate(await readFile(certificateFile));
    const key = createPrivateKey(await readFile(keyFile));
    return certificate.checkPrivateKey(key) ? { certificate, key } : null;
  } catch {
    return null;
  }
}

function isUsableCa(ca: Pair, names: readonly string[], at: Date): boolean {
  return vouchesFor(ca, names) && daysLeft(ca, at) > LEAF_DAYS;
}

function isUsableLeaf(leaf: Pair, ca: Pair, names: readonly string[], at: Date): boolean {
  return isIssuedFor(leaf, ca, names) && daysLeft(leaf, at) >= RENEW_DAYS;
}

async function makeCa(
  folder: string,
  caFile: string,
  names: readonly string[],
  at: Date,
): Promise<Pair> {
  const subject = 'Bulla local CA';
  const ca = issueAuthority({ subject, names, at, days: CA_DAYS, keyType: 'ecdsa' });
  const text = ca.certificate.toString();
  await writeKeyFiles(
    [keyFileText(join(folder, 'ca-key.pem'), ca.key), { path: caFile, text, secret: false }],
    { overwrite: true },
  );
  return ca;
}

async function makeLeaf(
  files: { readonly certificateFile: string; readonly keyFile: string },
  ca: Pair,
  names: readonly string[],
  at: Date,
): Promise<Pair> {
  const subject = 'Bulla server';
  const leaf = issueServer(ca, { subject, names, at, days: LEAF_DAYS, keyType: 'ecdsa' });
  const chain = `${leaf.certificate.toString()}${ca.certificate.toString()}`;
  await writeKeyFiles(
    [
      keyFileText(files.keyFile, leaf.key),
      { path: files.certificateFile, text: chain, secret: false },
    ],
    { overwrite: true },
  );
  return leaf;
}

function keyFileText(path: string, key: KeyObject): KeyFileText {
  return { path, text: key.export({ format: 'pem', type: 'pkcs8' }).toString(), secret: true };
}
