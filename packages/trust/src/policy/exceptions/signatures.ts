import { ALGORITHMS, SIGSTORE_ALGORITHMS } from '../../crypto/algorithm.ts';
import { verifySignature } from '../../crypto/verify-signature.ts';
import { type DsseEnvelope, preAuthenticationEncoding } from '../../envelopes/dsse.ts';
import type { ExceptionDocument, Party } from './document.ts';

/**
 * Whose signature over a document is not theirs, as a sentence; null when each was made with the key
 * that the document gives for its party. Whether these are the right keys is the policy's to say.
 */
export async function signatureProblem({
  exception,
  request,
  approval,
}: ExceptionDocument): Promise<string | null> {
  if (!(await isSignedBy(request, exception.requester))) {
    return `the signature of the request is not by the key of its requester ${exception.requester.identity}`;
  }
  if (approval === null || (await isSignedBy(approval.envelope, approval.approver))) return null;
  return `the signature of the approval is not by the key of its approver ${approval.approver.identity}`;
}

async function isSignedBy(
  { payloadType, payload, signatures }: DsseEnvelope,
  { key }: Party,
): Promise<boolean> {
  const [only, second] = signatures;
  if (only === undefined || second !== undefined) return false;
  const message = preAuthenticationEncoding(payloadType, payload);
  for (const name of SIGSTORE_ALGORITHMS[key.kind]) {
    if (await verifySignature(key, ALGORITHMS[name], message, only.signature)) return true;
  }
  return false;
}
