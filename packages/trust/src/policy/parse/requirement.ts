import { optional, readFields, refuseUnknownKeys, required } from '../../bytes/yaml/fields.ts';
import {
  addProblem,
  addUnexpected,
  keysOf,
  listOf,
  memberOf,
  type Read,
  readString,
  recordOf,
  type YamlCursor,
} from '../../bytes/yaml/read.ts';
import type { Requirement, SignedRequirement } from '../document.ts';
import { readAttested } from './attested.ts';
import {
  authorityNamesOf,
  countOf,
  type PolicyNames,
  readThreshold,
  refuseEmpty,
} from './names.ts';

/** The words by which a requirement begins, and what stands beside each. */
const KINDS = ['all', 'any', 'atLeast', 'signed', 'attested'] as const;

/**
 * A requirement: a map of exactly one of `all`, `any`, `signed`, `attested`, or `atLeast` with `of`.
 * An empty list is `policy.requirement-empty`, a threshold beyond its parts
 * `policy.threshold-range` (semantics 1).
 */
export function requirementOf(names: PolicyNames): Read<Requirement> {
  const read: Read<Requirement> = (at) => {
    if (at.node?.kind !== 'map') return addUnexpected(at, `a map of one of ${KINDS.join(', ')}`);
    const [kind, second] = KINDS.filter((word) => keysOf(at).includes(word));
    if (kind === undefined) return refuseKind(at);
    if (second !== undefined) {
      return addProblem(
        at,
        `expected one of ${KINDS.join(', ')} at ${at.place.path}, found ${kind} and ${second}; put them under all or any`,
      );
    }
    refuseUnknownKeys(at, kind === 'atLeast' ? ['atLeast', 'of'] : [kind], 'policy.unknown-field');
    return readKind(at, kind, names, read);
  };
  return read;
}

/** An empty map, or one of words that begin no requirement. */
function refuseKind(at: YamlCursor): undefined {
  refuseUnknownKeys(at, KINDS, 'policy.unknown-field');
  if (keysOf(at).length > 0) return undefined;
  return addProblem(at, `expected a requirement at ${at.place.path}, found an empty map`, {
    code: 'policy.requirement-empty',
  });
}

function readKind(
  at: YamlCursor,
  kind: (typeof KINDS)[number],
  names: PolicyNames,
  read: Read<Requirement>,
): Requirement | undefined {
  switch (kind) {
    case 'all':
    case 'any': {
      const parts = readParts(memberOf(at, kind), read);
      return parts === undefined ? undefined : { kind, parts };
    }
    case 'atLeast': {
      const parts = readParts(memberOf(at, 'of'), read);
      const atLeast = readThreshold(memberOf(at, 'atLeast'), parts?.length ?? null, 'requirements');
      return parts === undefined || atLeast === undefined ? undefined : { kind, atLeast, parts };
    }
    case 'signed':
      return readSigned(memberOf(at, kind), names);
    case 'attested':
      return readAttested(memberOf(at, kind), names);
    default:
      return kind satisfies never;
  }
}

function readParts(at: YamlCursor, read: Read<Requirement>): readonly Requirement[] | undefined {
  return refuseEmpty(at) ? undefined : listOf(read)(at);
}

function readSigned(at: YamlCursor, names: PolicyNames): SignedRequirement | undefined {
  const readNames = authorityNamesOf(names);
  const of = countOf(memberOf(at, 'of'));
  const fields = readFields(
    at,
    {
      of: required(readNames),
      atLeast: optional((member) => readThreshold(member, of, 'authorities'), 1),
      annotations: optional(recordOf(readString), {}),
    },
    'policy.unknown-field',
  );
  return fields === undefined ? undefined : { kind: 'signed', ...fields };
}
