import { optional, readFields, required } from '../../bytes/yaml/fields.ts';
import { durationMsOf } from '../../bytes/yaml/quantity.ts';
import {
  addProblem,
  addUnexpected,
  integerOf,
  keysOf,
  meantWord,
  memberOf,
  oneOf,
  type Read,
  readText,
  type YamlCursor,
} from '../../bytes/yaml/read.ts';
import { isPredicateName, PREDICATE_TYPES, predicateTypeOf } from '../../claims/predicate-type.ts';
import { quote } from '../../fault/fault.ts';
import type {
  AttestedRequirement,
  ProvenanceCondition,
  SbomCondition,
  SeverityLimits,
} from '../document.ts';
import { authorityNamesOf, countOf, type PolicyNames, readThreshold } from './names.ts';
import { readPattern } from './pattern.ts';

const MAX_EXPRESSION_LENGTH = 8192;

/** `attested`: its type, who must attest it, and the conditions on what it says (docs/policy.md). */
export function readAttested(at: YamlCursor, names: PolicyNames): AttestedRequirement | undefined {
  const readNames = authorityNamesOf(names);
  const by = countOf(memberOf(at, 'by'));
  const fields = readFields(
    at,
    {
      type: required(readType),
      by: required(readNames),
      atLeast: optional((member) => readThreshold(member, by, 'authorities'), 1),
      where: optional(expressionOf(names), null),
      maxAge: optional(durationMsOf(), null),
      time: optional(oneOf(['trusted', 'claimed']), 'trusted' as const),
      vulnerabilities: optional(vulnerabilitiesOf(readNames), null),
      provenance: optional(readProvenance, null),
      sbom: optional(readSbom, null),
    },
    'policy.unknown-field',
  );
  if (fields === undefined) return undefined;
  const { type, maxAge, vulnerabilities, ...rest } = fields;
  if (!checkHelpers(at, type)) return undefined;
  return {
    kind: 'attested',
    ...rest,
    type,
    maxAgeMs: maxAge,
    vulnerabilities: vulnerabilities?.limits ?? null,
    vexBy: vulnerabilities?.vexBy ?? [],
  };
}

/** A short name of the table, or a URI. */
function readType(at: YamlCursor): string | undefined {
  const text = readText(at);
  if (text === undefined || isPredicateName(text)) return text;
  try {
    return predicateTypeOf(text) === text ? text : undefined;
  } catch {
    const known = Object.keys(PREDICATE_TYPES);
    const near = meantWord(text, known);
    return addUnexpected(at, `a predicate type: a URI, or one of ${known.join(', ')}`, near);
  }
}

/** CEL is read by a worker, for whom the expression is kept with its place. */
function expressionOf(names: PolicyNames): Read<string> {
  return (at) => {
    const text = readText(at);
    if (text === undefined) return undefined;
    if (text.trim() === '' || text.length > MAX_EXPRESSION_LENGTH) {
      return addProblem(
        at,
        `expected an expression of 1 to ${MAX_EXPRESSION_LENGTH} characters at ${at.place.path}, found ${text.length}`,
        { code: 'cel.invalid' },
      );
    }
    names.expressions.push({ text, place: at.place });
    return text;
  };
}

const LIMIT = optional(integerOf(0, 1_000_000), null);

interface Vulnerabilities {
  readonly limits: SeverityLimits;
  readonly vexBy: readonly string[];
}

function vulnerabilitiesOf(readNames: Read<readonly string[]>): Read<Vulnerabilities> {
  return (at) => {
    const fields = readFields(
      at,
      {
        critical: LIMIT,
        high: LIMIT,
        medium: LIMIT,
        low: LIMIT,
        unknown: LIMIT,
        vexBy: optional(readNames, []),
      },
      'policy.unknown-field',
    );
    if (fields === undefined) return undefined;
    const { vexBy, critical, high, medium, low, unknown } = fields;
    const limits: SeverityLimits = {
      ...(critical === null ? {} : { critical }),
      ...(high === null ? {} : { high }),
      ...(medium === null ? {} : { medium }),
      ...(low === null ? {} : { low }),
      ...(unknown === null ? {} : { unknown }),
    };
    return Object.keys(limits).length > 0
      ? { limits, vexBy }
      : nothingAsked(at, 'the most of at least one severity');
  };
}

const PROVENANCE = {
  builder: optional(readPattern, null),
  sourceRepository: optional(readPattern, null),
  branch: optional(readPattern, null),
};

function readProvenance(at: YamlCursor): ProvenanceCondition | undefined {
  const fields = readFields(at, PROVENANCE, 'policy.unknown-field');
  if (fields === undefined) return undefined;
  const { builder, sourceRepository, branch } = fields;
  return builder === null && sourceRepository === null && branch === null
    ? nothingAsked(at, 'at least one of builder, sourceRepository, branch')
    : { builder, sourceRepository, branch };
}

function readSbom(at: YamlCursor): SbomCondition | undefined {
  const fields = { minPackages: optional(integerOf(1, 1_000_000), 1) };
  return readFields(at, fields, 'policy.unknown-field');
}

function nothingAsked(at: YamlCursor, expected: string): undefined {
  const message = `expected ${expected} at ${at.place.path}, found none`;
  return addProblem(at, message, { code: 'policy.requirement-empty' });
}

/** Which predicate types each helper can read. */
const HELPERS: Readonly<Record<string, readonly string[]>> = {
  vulnerabilities: [PREDICATE_TYPES.vuln],
  provenance: [PREDICATE_TYPES.slsaprovenance02, PREDICATE_TYPES.slsaprovenance1],
  sbom: [PREDICATE_TYPES.spdx, PREDICATE_TYPES.cyclonedx],
};

/** Versioned URIs of SPDX and CycloneDX are what their own unversioned ones are. */
function unversioned(uri: string): string {
  return uri.replace(/\/v[0-9.]+$/, '');
}

function checkHelpers(at: YamlCursor, type: string): boolean {
  const uri = predicateTypeOf(type);
  const wrong = keysOf(at).filter((key) => {
    const types = Object.hasOwn(HELPERS, key) ? HELPERS[key] : undefined;
    return types !== undefined && !types.includes(uri) && !types.includes(unversioned(uri));
  });
  for (const key of wrong) {
    const member = memberOf(at, key);
    const types = HELPERS[key] ?? [];
    addProblem(
      member,
      `${member.place.path} reads statements of type ${types.join(' or ')}, and the type is ${quote(type)}`,
      { code: 'policy.predicate-mismatch' },
    );
  }
  return wrong.length === 0;
}
