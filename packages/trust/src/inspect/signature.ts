import { encodeHex } from '../bytes/hex.ts';
import { parseSimpleSigning } from '../claims/simple-signing.ts';
import { parseStatement } from '../claims/statement.ts';
import { type DsseEnvelope, IN_TOTO_PAYLOAD_TYPE } from '../envelopes/dsse.ts';
import { parseLegacySignature } from '../formats/cosign-legacy/parse.ts';
import { parseBundle, type SigstoreBundle } from '../formats/sigstore-bundle/parse.ts';
import type { LogEntry } from '../logentries/entry.ts';
import { computeDigest } from '../oci/digest.ts';
import type { Evidence } from '../proof/evidence.ts';
import { explainCertificate } from './certificate.ts';
import { type Explanation, explain, explainPart } from './explanation.ts';
import { explainPredicate } from './predicate.ts';
import { explainLogEntry, explainTimestamp } from './proofs.ts';

/** What a Sigstore bundle says. Throws as `parseBundle`; parts that cannot be read are `malformed`. */
export function explainBundle(bytes: Uint8Array, where: string): Explanation {
  const bundle = parseBundle(bytes, where);
  const { content } = bundle;
  const values = { version: bundle.version, checksum: computeDigest(bytes) };
  const signer = explainSigner(bundle);
  const proofs = explainProofs(bundle);
  if (content.kind === 'dsse') {
    return explain('sigstore-bundle', { ...values, content: 'DSSE envelope' }, [
      ...signer,
      ...explainContent(content.envelope),
      ...proofs,
    ]);
  }
  const { digest } = content;
  return explain(
    'sigstore-bundle',
    {
      ...values,
      content: 'signature over a message',
      message: digest === null ? null : `${digest.hash}:${encodeHex(digest.value)} (a hint)`,
    },
    [...signer, ...proofs],
  );
}

function explainSigner(bundle: SigstoreBundle): readonly Explanation[] {
  const { certificate, keyHint } = bundle;
  if (certificate === null) {
    return [explain('signer', { key: keyHint === '' ? 'without a hint' : `hint ${keyHint}` })];
  }
  return explainChain(certificate, bundle.intermediates);
}

function explainChain(
  certificate: Uint8Array,
  intermediates: readonly Uint8Array[],
): readonly Explanation[] {
  return [certificate, ...intermediates].map((der, index) =>
    explainPart(
      index === 0 ? 'the signer’s certificate' : `certificate ${index} of the chain`,
      () => explainCertificate(der, 'the certificate'),
    ),
  );
}

interface Proofs {
  readonly entries: readonly LogEntry[];
  readonly timestamps: readonly Uint8Array[];
}

function explainProofs({ entries, timestamps }: Proofs): readonly Explanation[] {
  return [
    ...entries.map(explainLogEntry),
    ...timestamps.map((bytes) => explainPart('timestamp', () => explainTimestamp(bytes))),
  ];
}

/** What a DSSE envelope says: its signatures, and the statement in it. */
export function explainEnvelope(envelope: DsseEnvelope, bytes: Uint8Array): Explanation {
  const signatures = envelope.signatures.map(({ keyId }) =>
    keyId === null || keyId === '' ? 'without a key id' : `key id ${keyId}`,
  );
  const values = { payloadType: envelope.payloadType, checksum: computeDigest(bytes), signatures };
  return explain('dsse-envelope', values, explainContent(envelope));
}

function explainContent({ payload, payloadType }: DsseEnvelope): readonly Explanation[] {
  if (payloadType !== IN_TOTO_PAYLOAD_TYPE) {
    return [explain('payload', { type: payloadType, sizeBytes: payload.length })];
  }
  return [explainPart('statement', () => explainStatement(payload))];
}

const MAX_SUBJECTS = 32;

/** What an in-toto statement says. Throws as `parseStatement`. */
export function explainStatement(payload: Uint8Array): Explanation {
  const statement = parseStatement(payload, 'the statement');
  const subjects = statement.subjects.map(({ name, digest }) => {
    const digests = Object.entries(digest).map(([algorithm, value]) => `${algorithm}:${value}`);
    return [...(name === null ? [] : [name]), ...digests].join(' ');
  });
  const more = subjects.length - MAX_SUBJECTS;
  return explain(
    'statement',
    {
      type: statement.type,
      subjects: [...subjects.slice(0, MAX_SUBJECTS), ...(more > 0 ? [`and ${more} more`] : [])],
      annotations: statement.subjects.flatMap(({ annotations }) => pairs(annotations)),
    },
    [explainPredicate(statement.predicateType, statement.predicate)],
  );
}

function pairs(annotations: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(annotations).map(([name, value]) => `${name}=${value}`);
}

/** What a simple-signing payload says. Throws as `parseSimpleSigning`. */
export function explainPayload(bytes: Uint8Array, where: string): Explanation {
  const payload = parseSimpleSigning(bytes, where);
  return explain('simple-signing-payload', {
    type: payload.type,
    reference: payload.dockerReference,
    subject: payload.digest,
    annotations: pairs(payload.annotations),
    checksum: computeDigest(bytes),
  });
}

/** What one piece of evidence of an image says, in whatever format. */
export function explainEvidence(evidence: Evidence): Explanation {
  const { where, bytes, digest } = evidence;
  const found = explainPart(where, () =>
    evidence.format === 'sigstore-bundle' ? explainBundle(bytes, where) : explainLegacy(evidence),
  );
  return { ...found, facts: { where, digest, ...found.facts } };
}

function explainLegacy(evidence: Evidence): Explanation {
  const { content, certificate, intermediates, ...proofs } = parseLegacySignature(evidence);
  const signer =
    certificate === null
      ? [explain('signer', { key: 'a key, which the format does not name' })]
      : explainChain(certificate, intermediates);
  const inner =
    content.kind === 'payload'
      ? [explainPayload(content.bytes, evidence.where)]
      : [explainEnvelope(content.envelope, evidence.bytes)];
  return explain('cosign-legacy', {}, [...inner, ...signer, ...explainProofs(proofs)]);
}
