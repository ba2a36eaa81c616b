import { utf8 } from '../bytes/byte-string.ts';
import { parseJson } from '../bytes/json.ts';
import {
  asArray,
  asObject,
  asOneOf,
  asString,
  asStringMap,
  type Cursor,
  cursor,
  member,
  optional,
} from '../bytes/shape.ts';
import { TrustFault } from '../fault/fault.ts';

const STATEMENT_TYPES = [
  'https://in-toto.io/Statement/v0.1',
  'https://in-toto.io/Statement/v1',
] as const;

/** The `_type` of a statement that Bulla reads. */
export type StatementType = (typeof STATEMENT_TYPES)[number];

/** What a statement is about (in-toto attestation v1, resource_descriptor.md). */
export interface Subject {
  readonly name: string | null;
  /** Algorithm → lower-case hex. */
  readonly digest: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** An in-toto statement of version 0.1 or 1; `predicate` is unchecked JSON. */
export interface Statement {
  readonly type: StatementType;
  readonly subjects: readonly Subject[];
  readonly predicateType: string;
  readonly predicate: unknown;
  /** The whole document, for expressions. */
  readonly document: Readonly<Record<string, unknown>>;
}

const MAX_SUBJECTS = 10_000;
const MAX_STATEMENT_BYTES = 96 << 20;

function asHexDigests(at: Cursor): Readonly<Record<string, string>> {
  const digests = asStringMap(at);
  for (const [algorithm, value] of Object.entries(digests)) {
    if (algorithm.startsWith('sha') && !/^[0-9a-f]+$/.test(value)) {
      throw new TrustFault(at.code, `expected lower-case hex at ${at.path}.${algorithm}`);
    }
  }
  return digests;
}

function asSubject(at: Cursor): Subject {
  return {
    name: optional(member(at, 'name'), asString) ?? null,
    digest: asHexDigests(member(at, 'digest')),
    annotations: asSubjectAnnotations(member(at, 'annotations')),
  };
}

/** in-toto allows any JSON as a value; only the strings can be asked for by `--annotation`. */
function asSubjectAnnotations(at: Cursor): Readonly<Record<string, string>> {
  const found: Record<string, string> = Object.create(null);
  const object = optional(at, asObject) ?? {};
  for (const [key, value] of Object.entries(object)) {
    if (typeof value === 'string') found[key] = value;
  }
  return found;
}

/**
 * The statement in a DSSE payload. `predicate` may be absent (cosign 3.0.0–3.0.4 left it out).
 * Throws `statement.malformed` and the faults of `parseJson`; a statement without subject too.
 */
export function parseStatement(payload: Uint8Array, where: string): Statement {
  const value = parseJson(payload, where, { maxBytes: MAX_STATEMENT_BYTES, maxDepth: 256 });
  const at = cursor(value, 'statement', 'statement.malformed');
  const subjects = asArray(member(at, 'subject'), asSubject, MAX_SUBJECTS);
  if (subjects.length === 0) {
    throw new TrustFault('statement.malformed', `the statement in ${where} has no subject`);
  }
  return {
    type: asOneOf(member(at, '_type'), STATEMENT_TYPES),
    subjects,
    predicateType: asString(member(at, 'predicateType')),
    predicate: member(at, 'predicate').value ?? null,
    document: asObject(at),
  };
}

/** The first subject with `digest` (`sha256:…` or `sha512:…`), or null. */
export function subjectWithDigest(statement: Statement, digest: string): Subject | null {
  const colon = digest.indexOf(':');
  const algorithm = digest.slice(0, colon);
  const hex = digest.slice(colon + 1);
  return (
    statement.subjects.find(
      (subject) => Object.hasOwn(subject.digest, algorithm) && subject.digest[algorithm] === hex,
    ) ?? null
  );
}

/** What a new statement says. */
export interface StatementContent {
  readonly subjects: readonly {
    readonly name?: string;
    readonly digest: string;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** The bytes of an in-toto statement v1, ready to be signed as a DSSE payload. */
export function buildStatement(content: StatementContent): Uint8Array {
  const subject = content.subjects.map(({ name, digest, annotations }) => {
    const [algorithm = '', hex = ''] = digest.split(':');
    return {
      ...(name === undefined ? {} : { name }),
      digest: { [algorithm]: hex },
      ...(annotations === undefined ? {} : { annotations }),
    };
  });
  return utf8(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject,
      predicateType: content.predicateType,
      predicate: content.predicate,
    }),
  );
}
