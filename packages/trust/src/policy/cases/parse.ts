import { asInstant, cursor } from '../../bytes/shape.ts';
import { optional, readFields, required } from '../../bytes/yaml/fields.ts';
import { parseYamlDocuments } from '../../bytes/yaml/parse.ts';
import { hasErrors, type Problem, problemAt } from '../../bytes/yaml/problem.ts';
import {
  addProblem,
  addUnexpected,
  listOf,
  meantWord,
  oneOf,
  type Read,
  readDocument,
  readText,
  recordOf,
  type YamlCursor,
} from '../../bytes/yaml/read.ts';
import { CODES, type Code, isCode } from '../../fault/codes.ts';
import { asFault, quote } from '../../fault/fault.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { parseReference } from '../../oci/reference.ts';
import { distinct } from '../parse/names.ts';
import { SURFACES } from '../parse/spec.ts';
import type { CaseSubject, Expectation, PolicyCase, PolicyTest } from './document.ts';

/** A file of tests, null when it has any mistake, and each mistake in the order of the text. */
export interface ParsedPolicyTest {
  readonly test: PolicyTest | null;
  readonly problems: readonly Problem[];
}

const CODE = 'policy.test-malformed';

/**
 * Reads a file of policy tests, YAML or JSON, one document. A test without a case would pass and say
 * nothing, so it is a mistake (semantics 1). Never throws.
 */
export function parsePolicyTest(bytes: Uint8Array, file: string): ParsedPolicyTest {
  const { documents, problems } = parseYamlDocuments(bytes, file, CODE);
  const [first, second] = documents;
  const place = { file, line: 1, column: 1, path: '' };
  if (first === undefined) {
    const empty = problemAt(place, CODE, 'expected policy tests, found an empty file');
    return { test: null, problems: hasErrors(problems) ? problems : [...problems, empty] };
  }
  const read = readDocument(first, CODE, readTest);
  const more =
    second === undefined ? [] : [problemAt(second.place, CODE, 'expected one document, found two')];
  const all = [...problems, ...read.problems, ...more];
  return { test: hasErrors(all) ? null : read.value, problems: all };
}

function readTest(at: YamlCursor): PolicyTest | undefined {
  const fields = readFields(at, {
    policy: required(readPaths),
    trustRoots: optional(recordOf(readText), {}),
    cases: required(readCases),
  });
  if (fields === undefined) return undefined;
  const { policy, trustRoots, cases } = fields;
  return { policies: policy, trustRoots, cases };
}

/** One path, or a list of at least one. */
function readPaths(at: YamlCursor): readonly string[] | undefined {
  if (at.node?.kind === 'list') return distinct(listOf(readText, { min: 1 }))(at);
  const path = readText(at);
  return path === undefined ? undefined : [path];
}

function readCases(at: YamlCursor): readonly PolicyCase[] | undefined {
  const cases = listOf(readCase, { min: 1 })(at);
  const twice = cases?.find(
    ({ name }, index) => cases.findIndex((one) => one.name === name) !== index,
  );
  if (twice === undefined) return cases;
  return addProblem(
    at,
    `expected each name once at ${at.place.path}, found ${quote(twice.name)} again`,
  );
}

const readReference: Read<string> = (at) => {
  const text = readText(at);
  if (text === undefined) return undefined;
  try {
    parseReference(text);
    return text;
  } catch (error) {
    return addProblem(at, `${asFault(error).message} at ${at.place.path}`);
  }
};

const readRegistryReference: Read<string> = (at) => {
  const text = readReference(at);
  if (text === undefined || !text.startsWith('oci:')) return text;
  return addUnexpected(at, 'a reference to a registry, by which policies match');
};

const readDigest: Read<Digest> = (at) => {
  const text = readText(at);
  return text === undefined || isDigest(text) ? text : addUnexpected(at, 'a digest');
};

const readInstant: Read<Date> = (at) => {
  const text = readText(at);
  if (text === undefined) return undefined;
  try {
    return asInstant(cursor(text, at.place.path, CODE));
  } catch {
    return addUnexpected(at, 'an instant such as 2026-11-21T12:00:00Z');
  }
};

function readCase(at: YamlCursor): PolicyCase | undefined {
  const fields = readFields(at, {
    name: required(readText),
    image: optional(readReference, null),
    dossier: optional(readText, null),
    digest: optional(readDigest, null),
    as: optional(readRegistryReference, null),
    surface: optional(oneOf(SURFACES), 'gate' as const),
    namespace: optional(readText, null),
    environment: optional(readText, null),
    platform: optional(readText, null),
    at: optional(readInstant, null),
    rollback: optional(readRollback, null),
    exceptions: optional(readPaths, []),
    expect: required(readExpectation),
  });
  if (fields === undefined) return undefined;
  const { image, dossier, digest, ...rest } = fields;
  const subject = subjectOf(at, image, dossier, digest);
  if (subject === undefined) return undefined;
  if (subject.kind === 'image') return { ...rest, subject };
  if (rest.as === null) {
    return addProblem(
      at,
      `expected as, the reference that policies see, beside ${at.place.path}.dossier`,
    );
  }
  if (rest.platform === null) return { ...rest, subject };
  return addProblem(
    at,
    `expected no platform beside ${at.place.path}.dossier: it is about one already`,
  );
}

function subjectOf(
  at: YamlCursor,
  image: string | null,
  file: string | null,
  digest: Digest | null,
): CaseSubject | undefined {
  if ((image === null) === (file === null)) {
    return addProblem(at, `expected either image or dossier at ${at.place.path}`);
  }
  if (file !== null) return { kind: 'dossier', file, digest };
  if (digest === null) return { kind: 'image', reference: image ?? '' };
  return addProblem(at, `expected digest beside dossier alone at ${at.place.path}`);
}

function readRollback(at: YamlCursor): PolicyCase['rollback'] | undefined {
  const fields = readFields(at, { newer: required(readDigest), since: required(readInstant) });
  return fields && { newer: fields.newer, newerSince: fields.since };
}

const WORDS = {
  admit: { outcome: 'admit', effect: 'pass' },
  warn: { outcome: 'admit', effect: 'warn' },
  audit: { outcome: 'admit', effect: 'audit' },
  deny: { outcome: 'deny', effect: 'deny' },
} as const satisfies Record<string, Pick<Expectation, 'outcome' | 'effect'>>;

/** One word, or a map: what the word leaves open is then open. */
function readExpectation(at: YamlCursor): Expectation | undefined {
  if (at.node?.kind !== 'map') {
    const word = oneOf(['admit', 'warn', 'audit', 'deny'])(at);
    return word && { ...WORDS[word], code: null, policy: null };
  }
  return readFields(at, {
    outcome: required(oneOf(['admit', 'deny'])),
    effect: optional(oneOf(['pass', 'warn', 'audit', 'deny']), null),
    code: optional(readCode, null),
    policy: optional(readText, null),
  });
}

function readCode(at: YamlCursor): Code | undefined {
  const text = readText(at);
  if (text === undefined) return undefined;
  if (isCode(text)) return text;
  return addUnexpected(at, 'a code of docs/errors.md', meantWord(text, Object.keys(CODES)));
}
