import { decodePem, encodePem } from '../../../bytes/pem.ts';
import { isPredicateName, predicateTypeOf } from '../../../claims/predicate-type.ts';
import { asFault } from '../../../fault/fault.ts';
import { compilePattern, type Pattern } from '../../pattern.ts';
import { parsePolicyKey } from '../../public-key.ts';
import type {
  CipAuthority,
  KeylessSource,
  KeySource,
  SoughtAttestation,
  SoughtText,
} from './document.ts';
import { type ImportNote, noteOf } from './note.ts';
import { keylessProofs, keyProofs, type Refusal } from './proofs.ts';
import { wholeValue } from './search.ts';

/** An authority as members of a TrustPolicy: plain JSON, as its YAML has it. */
export interface ImportedAuthority {
  readonly authorities: Readonly<Record<string, object>>;
  readonly require: object;
  readonly notes: readonly ImportNote[];
}

/**
 * An authority that signs, under the name `name`: several keys or identities are several authorities
 * here, any of which will do. Where a clause has no words, the whole authority refuses, and the
 * first such clause stands in its message.
 */
export function importAuthority(authority: CipAuthority, name: string): ImportedAuthority {
  const { signer } = authority;
  const unsaid = unsaidSource(authority) ?? unsaidAttestation(authority.attestations);
  if (signer.kind === 'static') return refusing(name, signer.answer.message, []);
  if (unsaid !== null) return refusedBy(name, unsaid);
  const signers =
    signer.kind === 'key' ? keys(authority, signer.key) : identities(authority, signer.keyless);
  if ('refused' in signers) return refusedBy(name, signers.refused);
  const named = signers.specs.map((spec, at): readonly [string, object] => [
    signers.specs.length === 1 ? name : `${name}.${at + 1}`,
    spec,
  ]);
  const of = named.map(([key]) => key);
  return {
    authorities: Object.fromEntries(named),
    require: requirementOf(authority.attestations, of),
    notes: [...signers.notes, ...sourceNotes(authority), ...typeNotes(authority.attestations)],
  };
}

/** An authority that refuses, with `message` in its verdict. */
export function refusing(
  name: string,
  message: string,
  notes: readonly ImportNote[],
): ImportedAuthority {
  const text = message === '' ? `${name} refuses what the policy covers` : message;
  return {
    authorities: { [name]: { static: { action: 'fail', message: text } } },
    require: { signed: { of: [name] } },
    notes,
  };
}

function refusedBy(name: string, note: ImportNote): ImportedAuthority {
  const message = `${note.place.path} cannot be expressed: ${note.what}: ${note.why}`;
  return refusing(name, message, [note]);
}

interface Signers {
  readonly specs: readonly object[];
  readonly notes: readonly ImportNote[];
}

const KEY_LABELS: readonly string[] = ['PUBLIC KEY', 'RSA PUBLIC KEY'];

function keys(authority: CipAuthority, key: KeySource): Signers | Refusal {
  const { place, source, hashAlgorithm } = key;
  if (source.kind !== 'data') {
    const what = source.kind === 'kms' ? `kms ${source.uri}` : `secretRef ${source.name}`;
    const why = 'its key cannot be read here; put the public key itself into key.data';
    return { refused: noteOf(place, 'refuses', what, why) };
  }
  const proofs = keyProofs(authority);
  if ('refused' in proofs) return proofs;
  const { trustRoot, proof } = proofs;
  const pems = pemsOf(source.pem);
  if (pems === null) {
    const why = 'it holds no public key of a kind that is known here';
    return { refused: noteOf(place, 'refuses', 'key.data', why) };
  }
  const beside = trustRoot === null ? {} : { trustRoot, ...(proof === null ? {} : { proof }) };
  return {
    specs: pems.map((pem) => ({ key: { pem, ...beside } })),
    notes: [
      ...proofs.notes,
      ...(pems.length === 1 ? [] : [noteOf(place, 'wider', `${pems.length} keys`, ANY_KEY)]),
      ...(hashAlgorithm === 'sha256'
        ? []
        : [noteOf(place, 'stricter', `hashAlgorithm ${hashAlgorithm}`, KEY_HASH)]),
    ],
  };
}

// clusterimagepolicy_types.go (webhook), KeyRef.UnmarshalJSON: of several it takes the first.
const ANY_KEY = 'any of them may sign, where policy-controller looks at the first alone';
const KEY_HASH = 'the hash follows from the key, and a signature over another does not count';

/** Each key of a PEM text by itself; null when there is none, or one that cannot be used. */
function pemsOf(text: string): readonly string[] | null {
  try {
    const blocks = decodePem(text, 'key.data').filter(({ label }) => KEY_LABELS.includes(label));
    const pems = blocks.map(({ label, bytes }) => encodePem(label, bytes));
    for (const pem of pems) parsePolicyKey(Buffer.from(pem), 'key.data');
    return pems.length === 0 ? null : [...new Set(pems)];
  } catch (error) {
    if (asFault(error).code === 'internal.defect') throw error;
    return null;
  }
}

function identities(authority: CipAuthority, keyless: KeylessSource): Signers | Refusal {
  const proofs = keylessProofs(authority, keyless);
  if ('refused' in proofs) return proofs;
  const { trustRoot, proof } = proofs;
  const specs: object[] = [];
  const notes: ImportNote[] = [...proofs.notes];
  for (const { place, issuer, subject } of keyless.identities) {
    const patterns = { issuer: patternOf(issuer), subject: patternOf(subject) };
    if (patterns.issuer === null || patterns.subject === null) {
      const why = 'it uses what expressions here do not have';
      return { refused: noteOf(place, 'refuses', searchText(issuer, subject), why) };
    }
    if ('search' in issuer || 'search' in subject) {
      const why = 'it is found anywhere in the value, and was written out as one of the whole';
      notes.push(noteOf(place, 'same', searchText(issuer, subject), why));
    }
    specs.push({ keyless: { ...patterns, trustRoot, proof } });
  }
  return { specs, notes };
}

function searchText(...sought: readonly SoughtText[]): string {
  return sought.flatMap((text) => ('search' in text ? [`/${text.search}/`] : [])).join(', ');
}

function patternOf(sought: SoughtText): Pattern | null {
  if ('exact' in sought) return { exact: sought.exact };
  const pattern: Pattern = { regex: wholeValue(sought.search) };
  try {
    // By itself first: what is none there (`a)|(?:b`) must not become one by what is put around it.
    compilePattern({ regex: sought.search });
    compilePattern(pattern);
    return pattern;
  } catch (error) {
    if (asFault(error).code === 'internal.defect') throw error;
    return null;
  }
}

/** Attestations take the place of the signature, and each must be there (PC-12). */
function requirementOf(sought: readonly SoughtAttestation[], by: readonly string[]): object {
  const parts = sought.map(({ predicateType: type }) => ({ attested: { type, by } }));
  const [only] = parts;
  if (only === undefined) return { signed: { of: by } };
  return parts.length === 1 ? only : { all: parts };
}

function unsaidSource({ sources }: CipAuthority): ImportNote | null {
  for (const { place, oci, tagPrefix } of sources) {
    const why = 'signatures are looked for beside their image only';
    if (oci !== null && oci !== '') return noteOf(place, 'refuses', `source.oci ${oci}`, why);
    if (tagPrefix !== null && tagPrefix !== '') {
      return noteOf(place, 'refuses', `source.tagPrefix ${tagPrefix}`, why);
    }
  }
  return null;
}

function sourceNotes({ sources }: CipAuthority): readonly ImportNote[] {
  const why = "signatures are read by the door's own credentials";
  return sources.flatMap(({ place, pullSecrets }) =>
    pullSecrets ? [noteOf(place, 'stricter', 'source.signaturePullSecrets', why)] : [],
  );
}

/** cosign's own short names (pkg/apis/policy/common/validation.go, and those that cosign added). */
const ALIASES: readonly string[] = [
  ...['custom', 'slsaprovenance', 'slsaprovenance02', 'slsaprovenance1', 'spdx', 'spdxjson'],
  ...['cyclonedx', 'link', 'vuln', 'openvex'],
];

function unsaidAttestation(sought: readonly SoughtAttestation[]): ImportNote | null {
  for (const { place, name, predicateType, policy } of sought) {
    if (policy !== null) {
      const why = `what the ${policy.type} of attestation ${name} asks cannot be known here`;
      return noteOf(policy.place, 'refuses', `a ${policy.type} policy`, why);
    }
    if (!isKnownType(predicateType)) {
      const why = 'it is no URI, and no short name of cosign';
      return noteOf(place, 'refuses', `predicateType ${predicateType}`, why);
    }
  }
  return null;
}

function isKnownType(type: string): boolean {
  if (isPredicateName(type)) return ALIASES.includes(type);
  try {
    return predicateTypeOf(type) === type;
  } catch (error) {
    if (asFault(error).code === 'internal.defect') throw error;
    return false;
  }
}

function typeNotes(sought: readonly SoughtAttestation[]): readonly ImportNote[] {
  return sought.flatMap(({ place, predicateType: type }) =>
    isPredicateName(type)
      ? [noteOf(place, 'same', `predicateType ${type}`, `it is short for ${predicateTypeOf(type)}`)]
      : [],
  );
}
