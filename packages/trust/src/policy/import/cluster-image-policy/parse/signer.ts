import { optional, readFields, required } from '../../../../bytes/yaml/fields.ts';
import {
  addProblem,
  addUnexpected,
  keysOf,
  listOf,
  memberOf,
  oneOf,
  readBoolean,
  readText,
  type YamlCursor,
} from '../../../../bytes/yaml/read.ts';
import type { KeylessSource, KeySource, SoughtIdentity, SoughtText } from '../document.ts';
import { anything } from './anything.ts';

const SOURCES = ['data', 'kms', 'secretRef'] as const;

const KEY = {
  data: optional(readText, null),
  kms: optional(readText, null),
  secretRef: optional(anything, null),
  hashAlgorithm: optional(oneOf(['sha224', 'sha256', 'sha384', 'sha512']), 'sha256' as const),
};

/** PC-6: exactly one of `data`, `kms`, `secretRef`. Whether the PEM holds keys is looked at later. */
export function readKey(at: YamlCursor): KeySource | undefined {
  const fields = readFields(at, KEY, 'policy.unknown-field');
  if (fields === undefined) return undefined;
  const given = SOURCES.filter((source) => keysOf(at).includes(source));
  const [only] = given;
  if (only === undefined || given.length > 1) {
    return addProblem(
      at,
      `expected exactly one of ${SOURCES.join(', ')} at ${at.place.path}, found ${given.length}`,
    );
  }
  const { data, kms, secretRef, hashAlgorithm } = fields;
  const { place } = memberOf(at, only);
  if (data !== null) return { place, source: { kind: 'data', pem: data }, hashAlgorithm };
  if (kms !== null) return { place, source: { kind: 'kms', uri: kms }, hashAlgorithm };
  return {
    place,
    source: { kind: 'secretRef', name: secretName(secretRef?.value) },
    hashAlgorithm,
  };
}

function secretName(value: unknown): string {
  const name: unknown = Object(value)['name'];
  return typeof name === 'string' ? name : '';
}

const KEYLESS = {
  url: optional(readText, null),
  'ca-cert': optional(anything, null),
  identities: required(listOf(readIdentity, { min: 1 })),
  trustRootRef: optional(readText, null),
  insecureIgnoreSCT: optional(readBoolean, false),
};

/** PC-7: `url` or `ca-cert`, by default the public Fulcio, and at least one identity. */
export function readKeyless(at: YamlCursor): KeylessSource | undefined {
  const fields = readFields(at, KEYLESS, 'policy.unknown-field');
  if (fields === undefined) return undefined;
  const { url, identities, trustRootRef, insecureIgnoreSCT: ignoresSct } = fields;
  const caCert = fields['ca-cert'] !== null;
  if (caCert && url !== null) {
    return addProblem(at, `expected one of url, ca-cert at ${at.place.path}, found both`);
  }
  return { place: at.place, url, caCert, identities, trustRootRef, ignoresSct };
}

const TEXT = optional(readText, null);
const IDENTITY = { issuer: TEXT, issuerRegExp: TEXT, subject: TEXT, subjectRegExp: TEXT };

function readIdentity(at: YamlCursor): SoughtIdentity | undefined {
  const fields = readFields(at, IDENTITY, 'policy.unknown-field');
  if (fields === undefined) return undefined;
  const issuer = soughtText(at, 'issuer', fields.issuer, fields.issuerRegExp);
  const subject = soughtText(at, 'subject', fields.subject, fields.subjectRegExp);
  return issuer && subject && { place: at.place, issuer, subject };
}

function soughtText(
  at: YamlCursor,
  word: string,
  exact: string | null,
  search: string | null,
): SoughtText | undefined {
  if (exact !== null && search === null) return { exact };
  if (search !== null && exact === null) return { search };
  const found = exact === null ? 'none' : 'both';
  const message = `expected exactly one of ${word}, ${word}RegExp at ${at.place.path}, found ${found}`;
  return at.node?.kind === 'map' ? addProblem(at, message) : addUnexpected(at, 'a map');
}
