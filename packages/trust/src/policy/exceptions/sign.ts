import { utf8 } from '../../bytes/byte-string.ts';
import { canonicalizeJcs } from '../../bytes/jcs.ts';
import { publicKeyPem } from '../../crypto/public-key.ts';
import type { Signer } from '../../crypto/signer.ts';
import {
  type DsseEnvelope,
  dsseEnvelopeJson,
  preAuthenticationEncoding,
} from '../../envelopes/dsse.ts';
import { TrustFault } from '../../fault/fault.ts';
import {
  APPROVAL_KIND,
  EXCEPTION_API_VERSION,
  EXCEPTION_KIND,
  EXCEPTION_PAYLOAD_TYPE,
  type ExceptionDocument,
  type Party,
  type TrustException,
} from './document.ts';
import { parseException } from './parse.ts';
import { signatureProblem } from './signatures.ts';

/** What somebody asks for; the signer's key completes it. */
export interface ExceptionRequest extends Omit<TrustException, 'requester'> {
  /** The requester's identity. */
  readonly identity: string;
}

/**
 * An exception or break-glass document, signed by whoever asks for it. Throws `exception.malformed`
 * for what no reader would take, and the faults of the signer.
 */
export async function signException(
  request: ExceptionRequest,
  signer: Signer,
): Promise<ExceptionDocument> {
  const { identity, name, issuedAt, expires, ...spec } = request;
  const payload = {
    apiVersion: EXCEPTION_API_VERSION,
    kind: EXCEPTION_KIND,
    metadata: { name },
    spec: withoutNulls({
      ...spec,
      requester: partyJson({ identity, key: signer.publicKey }),
      issuedAt: issuedAt.toISOString(),
      expires: expires.toISOString(),
    }),
  };
  return reread(await sealed(payload, signer));
}

/**
 * The request with its approver's signature over the requester's whole envelope: neither of the two
 * can change it afterwards. Throws `exception.self-approved` for the requester's own identity or key,
 * `exception.signature` when the request's signature is not its requester's, and `usage.invalid` for
 * what needs no approval or has one.
 */
export async function approveException(
  document: ExceptionDocument,
  { identity, approvedAt }: { readonly identity: string; readonly approvedAt: Date },
  signer: Signer,
): Promise<ExceptionDocument> {
  const { exception, request, approval } = document;
  if (approval !== null || exception.kind === 'break-glass') {
    const found = approval === null ? 'a break-glass document' : 'an approved exception';
    throw new TrustFault('usage.invalid', `expected a request to approve, found ${found}`);
  }
  const problem = await signatureProblem(document);
  if (problem !== null) throw new TrustFault('exception.signature', problem);
  const approver = { identity, key: signer.publicKey };
  const same = sameParty(exception.requester, approver);
  if (same !== null) throw new TrustFault('exception.self-approved', same);
  const payload = {
    apiVersion: EXCEPTION_API_VERSION,
    kind: APPROVAL_KIND,
    spec: {
      approver: partyJson(approver),
      approvedAt: approvedAt.toISOString(),
      request: dsseEnvelopeJson(request),
    },
  };
  return reread(await sealed(payload, signer));
}

/** The JSON of a document's envelope, as it was signed, with a line break at its end. */
export function writeException({ request, approval }: ExceptionDocument): Uint8Array {
  return utf8(`${JSON.stringify(dsseEnvelopeJson(approval?.envelope ?? request))}\n`);
}

/** How approver and requester are one (semantics 17), as a sentence; null when they are two. */
export function sameParty(requester: Party, approver: Party): string | null {
  if (requester.key.id === approver.key.id) {
    return `${approver.identity} approved with the key of the requester, ${requester.key.id}`;
  }
  return requester.identity.toLowerCase() === approver.identity.toLowerCase()
    ? `${approver.identity} approved what the same identity requested, with another key`
    : null;
}

async function sealed(payload: object, signer: Signer): Promise<DsseEnvelope> {
  const bytes = utf8(canonicalizeJcs(payload));
  const signature = await signer.sign(preAuthenticationEncoding(EXCEPTION_PAYLOAD_TYPE, bytes));
  return {
    payloadType: EXCEPTION_PAYLOAD_TYPE,
    payload: bytes,
    signatures: [{ signature, keyId: signer.publicKey.id }],
  };
}

/** What was written must be what a reader takes. */
function reread(envelope: DsseEnvelope): ExceptionDocument {
  return parseException(utf8(JSON.stringify(dsseEnvelopeJson(envelope))), 'the exception');
}

function partyJson({ identity, key }: Party): { readonly identity: string; readonly key: string } {
  return { identity, key: publicKeyPem(key) };
}

function withoutNulls(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null));
}
