import { digestOf } from '../bytes/hash.ts';
import { encodeHex } from '../bytes/hex.ts';
import { COSIGN_SIGN_PREDICATE, predicateTypeMatches } from '../claims/predicate-type.ts';
import {
  parseStatement,
  type Statement,
  type Subject,
  subjectWithDigest,
} from '../claims/statement.ts';
import { type DsseEnvelope, IN_TOTO_PAYLOAD_TYPE } from '../envelopes/dsse.ts';
import { printable, quote, TrustFault } from '../fault/fault.ts';
import { type Finding, failed, failedBy, passed } from '../finding/finding.ts';
import type { VerifiedArtifact, Wanted } from './evidence.ts';

/** Findings on what a statement says, and the statement once its subject is this artifact. */
export interface StatementBinding {
  readonly findings: readonly Finding[];
  readonly statement: Statement | null;
}

const SOURCE = 'in-toto attestation v1, statement.md';

/**
 * Whether the envelope's payload is a statement about the artifact of the kind that is wanted. For a
 * signature only cosign's sign statement counts: a provenance attestation is not a signature
 * (semantics 9). Independent of the key, so it is computed once per piece of evidence.
 */
export function bindStatement(
  envelope: DsseEnvelope,
  artifact: VerifiedArtifact,
  wanted: Wanted,
): StatementBinding {
  const { digest } = artifact;
  let statement: Statement;
  try {
    if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE) {
      throw new TrustFault(
        'dsse.malformed',
        `expected the payload type ${IN_TOTO_PAYLOAD_TYPE}, found ${quote(envelope.payloadType)}`,
      );
    }
    statement = parseStatement(envelope.payload, 'the payload');
  } catch (error) {
    return { findings: [failedBy('statement', error, SOURCE)], statement: null };
  }
  const subject = subjectOf(statement, artifact);
  const subjectFinding =
    subject === null
      ? failed(
          'statement.subject',
          'statement.subject-mismatch',
          `the statement is about ${describeSubjects(statement)}, not about ${digest}`,
          SOURCE,
        )
      : passed('statement.subject', `the statement is about ${digest}`, SOURCE);
  const findings = [subjectFinding, checkType(statement, wanted)];
  if (wanted.kind === 'signature') {
    findings.push(...checkAnnotations(subject?.annotations ?? {}, wanted.annotations));
  }
  return { findings, statement: subject === null ? null : statement };
}

/** The subject by the artifact's digest or, with its bytes at hand, by another digest of them. */
function subjectOf(statement: Statement, { digest, bytes }: VerifiedArtifact): Subject | null {
  const subject = subjectWithDigest(statement, digest);
  if (subject !== null || bytes === null) return subject;
  for (const hash of ['sha256', 'sha512', 'sha384'] as const) {
    // npm's statements name their packages by SHA-512 alone.
    if (!statement.subjects.some((named) => Object.hasOwn(named.digest, hash))) continue;
    const found = subjectWithDigest(statement, `${hash}:${encodeHex(digestOf(hash, bytes))}`);
    if (found !== null) return found;
  }
  return null;
}

function describeSubjects(statement: Statement): string {
  const named = statement.subjects
    .slice(0, 3)
    .map(({ digest }) => printable(Object.entries(digest)[0]?.join(':').slice(0, 80) ?? 'nothing'));
  const more = statement.subjects.length > 3 ? ` and ${statement.subjects.length - 3} more` : '';
  return `${named.join(', ')}${more}`;
}

function checkType(statement: Statement, wanted: Wanted): Finding {
  const found = statement.predicateType;
  if (wanted.kind === 'signature') {
    return found === COSIGN_SIGN_PREDICATE
      ? passed('statement.type', 'the statement signs the artifact', 'cosign BUNDLE_SPEC.md')
      : failed(
          'statement.type',
          'signature.not-a-signature',
          `an attestation of type ${quote(found)} says something about the artifact and does not sign it`,
          'semantics 9',
        );
  }
  return predicateTypeMatches(wanted.predicateType, found)
    ? passed('statement.type', `the predicate type is ${printable(found)}`, SOURCE)
    : failed(
        'statement.type',
        'statement.type-mismatch',
        `expected the predicate type ${wanted.predicateType}, found ${quote(found)}`,
        SOURCE,
      );
}

/** One finding per annotation that must be signed. */
export function checkAnnotations(
  found: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): readonly Finding[] {
  return Object.entries(wanted).map(([name, value]) => {
    const actual = Object.hasOwn(found, name) ? found[name] : undefined;
    return actual === value
      ? passed('signature.annotation', `${printable(name)} is ${quote(value)}`)
      : failed(
          'signature.annotation',
          'signature.annotation-mismatch',
          `expected ${printable(name)} to be ${quote(value)}, found ${actual === undefined ? 'no such annotation' : quote(actual)}`,
        );
  });
}
