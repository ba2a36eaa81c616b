import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeDer, writeOid, writeSequence } from '@bulla/trust/bytes/der-writer';
import { caExtensions, writeExtension } from '../../../../trust/test/x509/synthetic-certificate.ts';
import { writeCertificatePem } from '../../../src/http/tls/certificate-writer.ts';

/** A certificate with its key, as objects and in PEM. */
export interface Minted {
  readonly name: string;
  readonly pair: KeyPairKeyObjectResult;
  readonly certificate: string;
  readonly key: string;
}

export interface MintOptions {
  /** Self-signed without. */
  readonly by?: Minted;
  readonly purpose?: 'server' | 'client' | 'authority';
  /** From now; both may be negative. */
  readonly days?: readonly [number, number];
  /** DNS names of a server beside localhost. */
  readonly names?: readonly string[];
}

const PURPOSE = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;
const DAY_MS = 86_400_000;

/** A certificate of P-256; a server's is for 127.0.0.1, localhost, and `names`. */
export function mint(
  name: string,
  { by, purpose = 'authority', days = [-1, 1], names: more = [] }: MintOptions = {},
) {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = writeSequence(
    ...['localhost', ...more].map((dns) => writeDer(0x82, Buffer.from(dns))),
    writeDer(0x87, Uint8Array.of(127, 0, 0, 1)),
  );
  const extensions =
    purpose === 'authority'
      ? caExtensions()
      : [
          writeExtension('2.5.29.37', writeSequence(writeOid(PURPOSE[purpose]))),
          writeExtension('2.5.29.17', names),
        ];
  const certificate = writeCertificatePem({
    subject: name,
    issuer: by?.name ?? name,
    notBefore: new Date(Date.now() + days[0] * DAY_MS),
    notAfter: new Date(Date.now() + days[1] * DAY_MS),
    publicKey: pair.publicKey,
    issuerKey: (by?.pair ?? pair).privateKey,
    extensions,
  });
  const key = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { name, pair, certificate, key } satisfies Minted;
}

/** A folder for PEM files, gone at the end. */
export async function pemFolder() {
  const path = await mkdtemp(join(tmpdir(), 'bulla-tls-'));
  return {
    path,
    write: async (name: string, text: string): Promise<string> => {
      await writeFile(join(path, name), text);
      return join(path, name);
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
