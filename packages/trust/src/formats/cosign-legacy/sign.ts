import { buildSimpleSigning, type SimpleSigningContent } from '../../claims/simple-signing.ts';
import type { Signer } from '../../crypto/signer.ts';
import type { SigningServices } from '../../proof/services.ts';
import { buildSignatureLayer, type LegacyLayer } from './build.ts';

/**
 * Signs a simple-signing payload. The format has a place for one timestamp and for a Rekor v1
 * promise, which today's logs no longer give: no log is asked.
 */
export async function signLegacy(
  content: SimpleSigningContent,
  signer: Signer,
  services: Pick<SigningServices, 'timestamp'>,
): Promise<LegacyLayer> {
  const payload = buildSimpleSigning(content);
  const signature = await signer.sign(payload);
  const [timestamp = null] = await services.timestamp(signature);
  return buildSignatureLayer(payload, signature, timestamp);
}
