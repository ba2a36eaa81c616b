import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificate, parseCertificatesPem } from '@bulla/trust/x509/certificate';

/** A certificate that OpenSSL made, and the files that it lies in. */
export interface Issued {
  readonly name: string;
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** What OpenSSL is told to issue; `extensions` are lines of its configuration. */
export interface IssueOptions {
  readonly name: string;
  readonly subject?: string;
  /** Absent: self-signed. */
  readonly by?: Issued;
  /** The key of another certificate, instead of a new one. */
  readonly keyOf?: Issued;
  readonly extensions: readonly string[];
  readonly digest?: string;
  readonly keyType?: 'ec' | 'rsa';
}

/** A folder in which OpenSSL issues certificates; it goes when it is disposed. */
export interface OpensslCa extends Disposable {
  readonly folder: string;
  issue(options: IssueOptions): Issued;
  /** Whether `openssl verify` accepts the leaf; `options` are its own. */
  accepts(
    leaf: Issued,
    intermediates: readonly Issued[],
    anchor: Issued,
    options?: readonly string[],
  ): boolean;
}

export const CA = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
export const SIGNER = ['keyUsage=critical,digitalSignature', 'extendedKeyUsage=codeSigning'];
export const STAMPER = [
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=critical,timeStamping',
];

const TIMEOUT_MS = 20_000;

export function opensslCa(openssl: string): OpensslCa {
  const folder = mkdtempSync(join(tmpdir(), 'bulla-x509-'));
  const issue = (options: IssueOptions): Issued => {
    const path = (kind: string) => join(folder, `${options.name}.${kind}`);
    writeFileSync(
      path('cnf'),
      ['[req]', 'distinguished_name=dn', '[dn]', '[ext]', ...options.extensions, ''].join('\n'),
    );
    const keyPath = options.keyOf?.keyPath ?? path('key');
    const key =
      options.keyOf !== undefined
        ? ['-key', keyPath]
        : options.keyType === 'rsa'
          ? ['-newkey', 'rsa:2048', '-keyout', keyPath]
          : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', keyPath];
    const by = options.by;
    const issuer = by === undefined ? [] : ['-CA', by.certificatePath, '-CAkey', by.keyPath];
    const subject = options.subject ?? `/CN=${options.name}`;
    execFileSync(
      openssl,
      [
        ...['req', '-x509', '-nodes', ...key, '-out', path('pem'), '-subj', subject],
        ...['-days', '10', '-config', path('cnf'), '-extensions', 'ext'],
        ...[...issuer, `-${options.digest ?? 'sha256'}`],
      ],
      { stdio: 'pipe', timeout: TIMEOUT_MS },
    );
    return { name: options.name, certificatePath: path('pem'), keyPath };
  };
  return {
    folder,
    issue,
    accepts(leaf, intermediates, anchor, options = []) {
      const untrusted = join(folder, 'untrusted.pem');
      writeFileSync(
        untrusted,
        intermediates.map(({ certificatePath }) => readFileSync(certificatePath, 'utf8')).join(''),
      );
      const bag = intermediates.length === 0 ? [] : ['-untrusted', untrusted];
      const args = ['-no-CApath', '-no-CAstore', '-CAfile', anchor.certificatePath, ...bag];
      return (
        spawnSync(openssl, ['verify', ...args, ...options, leaf.certificatePath], {
          timeout: TIMEOUT_MS,
        }).status === 0
      );
    },
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function readIssued({ name, certificatePath }: Issued): Certificate {
  const [certificate] = parseCertificatesPem(readFileSync(certificatePath, 'utf8'), name);
  if (certificate === undefined) throw new Error(`no certificate in ${certificatePath}`);
  return certificate;
}
