import { randomBytes } from 'node:crypto';
import { submitLogEntry } from '@bulla/trust/clients/log-client';
import { requestTimestamp } from '@bulla/trust/clients/timestamp-client';
import type { SigningServices } from '@bulla/trust/proof/services';
import { parseSigningConfig, selectServices } from '@bulla/trust/trust-root/signing-config';
import type { CliContext } from '../context.ts';
import { readNamedFile } from './wrong-use.ts';

/** A nonce of 64 bits that is not negative (RFC 3161 §2.4.1). */
function randomNonce(): bigint {
  return randomBytes(8).readBigUInt64BE();
}

/** The log and timestamp services that a signing configuration names for now. */
export async function openServices(path: string, context: CliContext): Promise<SigningServices> {
  const { signal } = context;
  const config = await readNamedFile(
    { path, maxBytes: 1 << 20, signal },
    'signing-config.malformed',
    (bytes) => parseSigningConfig(bytes, path),
  );
  const { rekor, tsa } = selectServices(config, context.clock());
  return {
    timestamp: (signature) =>
      Promise.all(
        tsa.map(({ url }) => requestTimestamp({ url, signature, nonce: randomNonce(), signal })),
      ),
    log: ({ hash, digest, signature }, signer) =>
      Promise.all(
        rekor.map(({ url }) =>
          submitLogEntry({
            url,
            digest: { hash, value: digest },
            signature,
            signer: { key: signer.publicKey, certificate: null },
            algorithm: signer.algorithm,
            signal,
          }),
        ),
      ),
  };
}
