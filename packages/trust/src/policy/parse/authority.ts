import { decodePem } from '../../bytes/pem.ts';
import { optional, readFields, refuseUnknownKeys, required } from '../../bytes/yaml/fields.ts';
import { plainValue } from '../../bytes/yaml/node.ts';
import {
  addProblem,
  addUnexpected,
  addWarning,
  keysOf,
  listOf,
  memberOf,
  oneOf,
  type Read,
  readText,
  type YamlCursor,
} from '../../bytes/yaml/read.ts';
import { asFault, quote } from '../../fault/fault.ts';
import { parseKeyReference } from '../../keys/file/reference.ts';
import { FULCIO_EXTENSIONS } from '../../x509/fulcio-extensions.ts';
import type {
  AuthoritySpec,
  KeyAuthoritySpec,
  KeylessAuthoritySpec,
  ProofSwitches,
  StaticAuthoritySpec,
  UnsupportedAuthoritySpec,
} from '../document.ts';
import { parsePolicyKey } from '../public-key.ts';
import { readPattern } from './pattern.ts';

const KINDS = ['key', 'keyless', 'static', 'notary', 'x509', 'openpgp'] as const;

/**
 * An authority: a map of exactly one kind. `notary`, `x509` and `openpgp` are kept as they are, with
 * a warning (`policy.authority-unsupported`): they admit nothing in this release.
 */
export function readAuthority(at: YamlCursor): AuthoritySpec | undefined {
  if (at.node?.kind !== 'map') return addUnexpected(at, `a map of one of ${KINDS.join(', ')}`);
  refuseUnknownKeys(at, KINDS, 'policy.unknown-field');
  const [kind, second] = KINDS.filter((word) => keysOf(at).includes(word));
  // A kind that is none of these has been refused already.
  if (kind === undefined && keysOf(at).length > 0) return undefined;
  if (kind === undefined || second !== undefined) {
    const found = kind === undefined ? 'none' : `${kind} and ${second}`;
    return addProblem(
      at,
      `expected exactly one of ${KINDS.join(', ')} at ${at.place.path}, found ${found}`,
    );
  }
  const value = memberOf(at, kind);
  switch (kind) {
    case 'key':
      return readKey(value);
    case 'keyless':
      return readKeyless(value);
    case 'static':
      return readStatic(value);
    case 'notary':
    case 'x509':
    case 'openpgp':
      return readUnsupported(value, kind);
    default:
      return kind satisfies never;
  }
}

const SWITCH = optional(oneOf(['required', 'off']), 'required' as const);

/** Proofs are required unless they are switched off; `sct` is only there where a certificate is. */
function readProof(at: YamlCursor): ProofSwitches | undefined {
  const fields = { log: SWITCH, sct: SWITCH, timestamp: SWITCH };
  const proof = readFields(at, fields, 'policy.unknown-field');
  return proof === undefined
    ? undefined
    : {
        log: proof.log === 'required',
        sct: proof.sct === 'required',
        timestamp: proof.timestamp === 'required',
      };
}

const ALL_PROOFS: ProofSwitches = { log: true, sct: true, timestamp: true };

function readKey(at: YamlCursor): KeyAuthoritySpec | undefined {
  const fields = readFields(
    at,
    {
      ref: optional(readKeyFile, null),
      pem: optional(readKeyPem, null),
      trustRoot: optional(readText, null),
      proof: optional(readProof, ALL_PROOFS),
    },
    'policy.unknown-field',
  );
  if (fields === undefined) return undefined;
  const { ref, pem, trustRoot } = fields;
  if ((ref === null) === (pem === null)) {
    const found = ref === null ? 'none' : 'both';
    return addProblem(at, `expected exactly one of ref, pem at ${at.place.path}, found ${found}`);
  }
  if (trustRoot === null && keysOf(at).includes('proof')) {
    const proof = memberOf(at, 'proof');
    const message = `${proof.place.path} asks for proofs, and no trust root says whose`;
    return addProblem(proof, message, { code: 'policy.trust-root-missing' });
  }
  return { kind: 'key', ...fields };
}

/** A path relative to the policy's file. What a policy means must not hang on an environment. */
function readKeyFile(at: YamlCursor): string | undefined {
  const text = readText(at);
  if (text === undefined) return undefined;
  try {
    const reference = parseKeyReference(text);
    if (reference.kind === 'file') return text;
    return addProblem(
      at,
      `expected a key in a file at ${at.place.path}, found one of the environment`,
    );
  } catch (error) {
    const { code, message, remedy } = asFault(error);
    return addProblem(at, `${message} at ${at.place.path}`, { code, remedy });
  }
}

/** The key itself; no message quotes it, for it may be a private one by mistake. */
function readKeyPem(at: YamlCursor): string | undefined {
  const text = readText(at);
  if (text === undefined) return undefined;
  try {
    if (decodePem(text, at.place.path).length > 0) {
      parsePolicyKey(Buffer.from(text), at.place.path);
      return text;
    }
    return addProblem(at, `expected a PEM public key at ${at.place.path}, found no PEM block`, {
      code: 'bytes.pem',
    });
  } catch (error) {
    const { code, message, remedy } = asFault(error);
    return addProblem(at, message, { code, remedy });
  }
}

function readKeyless(at: YamlCursor): KeylessAuthoritySpec | undefined {
  const fields = readFields(
    at,
    {
      issuer: required(readPattern),
      subject: required(readPattern),
      claims: optional(readClaims, {}),
      trustRoot: required(readTrustRoot),
      proof: optional(readProof, ALL_PROOFS),
    },
    'policy.unknown-field',
  );
  if (fields === undefined) return undefined;
  const { proof } = fields;
  if (!proof.log && !proof.timestamp) {
    // Semantics 10: a short-lived certificate needs a trusted time from one of the two.
    const message = `${at.place.path} would admit nothing: without log and timestamp no trusted time is left`;
    return addProblem(memberOf(at, 'proof'), message);
  }
  return { kind: 'keyless', ...fields };
}

/** Semantics 11: a policy has no default trust root. */
function readTrustRoot(at: YamlCursor): string | undefined {
  if (at.node !== undefined) return readText(at);
  const message = `expected the name of a trust root at ${at.place.path}, found nothing`;
  return addProblem(at, message, { code: 'policy.trust-root-missing' });
}

const CLAIMS: readonly string[] = [...new Set(FULCIO_EXTENSIONS.map(({ name }) => name))];

function readClaims(at: YamlCursor): Readonly<Record<string, string>> | undefined {
  if (at.node?.kind !== 'map') return addUnexpected(at, 'a map of claims and their values');
  refuseUnknownKeys(at, CLAIMS, 'policy.unknown-field');
  const claims: Record<string, string> = Object.create(null);
  for (const key of keysOf(at).filter((name) => CLAIMS.includes(name))) {
    const value = readText(memberOf(at, key));
    if (value !== undefined) claims[key] = value;
  }
  return claims;
}

/** `pass` is no action: an authority that always passed would be nothing, counted as enough. */
function readStatic(at: YamlCursor): StaticAuthoritySpec | undefined {
  const fields = { action: required(oneOf(['fail'])), message: required(readText) };
  const read = readFields(at, fields, 'policy.unknown-field');
  return read && { kind: 'static', message: read.message };
}

function readUnsupported(
  at: YamlCursor,
  kind: UnsupportedAuthoritySpec['kind'],
): UnsupportedAuthoritySpec | undefined {
  if (at.node?.kind !== 'map') return addUnexpected(at, 'a map');
  if (kind === 'notary' && !hasPin(memberOf(at, 'pin'))) return undefined;
  const message = `authority ${quote(at.place.path)} is of kind ${kind}, which this release does not prove: it admits nothing`;
  addWarning(at, 'policy.authority-unsupported', message);
  return { kind, value: plainValue(at.node) };
}

const readPins: Read<readonly string[]> = listOf(readText, { min: 1 });

/** Semantics 11: without a pin a policy would trust a repository on first use. */
function hasPin(at: YamlCursor): boolean {
  if (at.node === undefined || keysOf(at).length === 0) {
    const message = `expected a pin at ${at.place.path}: rootKeyIds or rootCertificateIds`;
    addProblem(at, message, { code: 'policy.pin-missing' });
    return false;
  }
  const pins = readFields(
    at,
    { rootKeyIds: optional(readPins, null), rootCertificateIds: optional(readPins, null) },
    'policy.unknown-field',
  );
  return pins !== undefined;
}
