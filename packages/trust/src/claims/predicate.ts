import { parseJson } from '../bytes/json.ts';
import { asArray, asObject, asString, type Cursor, cursor, member } from '../bytes/shape.ts';
import { TrustFault } from '../fault/fault.ts';
import { isPredicateName, type PredicateName } from './predicate-type.ts';

const LIMITS = { maxBytes: 64 << 20, maxDepth: 256 } as const;

/**
 * The predicate that a file gives under a short name or URI, with what the type demands checked:
 * `custom` wraps any text (cosign COSIGN_PREDICATE_SPEC.md), `spdx` takes tag-value text, the
 * others JSON objects. Throws `predicate.malformed` and the faults of `parseJson`.
 */
export function buildPredicate(type: string, file: Uint8Array, at: Date): unknown {
  if (type === 'custom') {
    return { Data: textOf(file), Timestamp: at.toISOString().replace(/\.\d{3}Z$/, 'Z') };
  }
  if (type === 'spdx') return spdxTagValue(file);
  const document = cursor(
    parseJson(file, 'the predicate', LIMITS),
    'predicate',
    'predicate.malformed',
  );
  asObject(document);
  if (isPredicateName(type)) CHECKS[type]?.(document);
  return document.value;
}

function textOf(file: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file);
  } catch (cause) {
    throw new TrustFault('predicate.malformed', 'the predicate is not UTF-8 text', undefined, {
      cause,
    });
  }
}

function spdxTagValue(file: Uint8Array): string {
  const text = textOf(file);
  if (!/^SPDXVersion:/m.test(text)) {
    throw new TrustFault(
      'predicate.malformed',
      'expected SPDX in tag-value form (a line that begins with SPDXVersion:)',
      'Give the tag-value file, or use --type spdxjson for SPDX in JSON.',
    );
  }
  return text;
}

/** What each type's own specification demands at the least, so that a wrong file is told early. */
const CHECKS: { readonly [name in PredicateName]?: (document: Cursor) => void } = {
  slsaprovenance1: (document) => {
    asString(member(member(document, 'buildDefinition'), 'buildType'));
    asString(member(member(member(document, 'runDetails'), 'builder'), 'id'));
  },
  slsaprovenance: checkProvenance02,
  slsaprovenance02: checkProvenance02,
  spdxjson: (document) => {
    asString(member(document, 'spdxVersion'));
  },
  cyclonedx: (document) => {
    asString(member(document, 'bomFormat'));
  },
  openvex: (document) => {
    asArray(member(document, 'statements'), asObject, 1_000_000);
  },
  vuln: (document) => {
    asObject(member(document, 'scanner'));
  },
  vsa: (document) => {
    asString(member(document, 'verificationResult'));
  },
  testresult: (document) => {
    asString(member(document, 'result'));
  },
};

function checkProvenance02(document: Cursor): void {
  asString(member(member(document, 'builder'), 'id'));
  asString(member(document, 'buildType'));
}
