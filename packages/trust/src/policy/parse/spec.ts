import { optional, readFields, required } from '../../bytes/yaml/fields.ts';
import { durationMsOf } from '../../bytes/yaml/quantity.ts';
import {
  addProblem,
  addUnexpected,
  addWarning,
  keysOf,
  listOf,
  mapOf,
  memberOf,
  oneOf,
  type Read,
  readText,
  textOf,
  type YamlCursor,
} from '../../bytes/yaml/read.ts';
import { quote } from '../../fault/fault.ts';
import type { AuthoritySpec, OnInconclusive, Surface, TrustPolicy } from '../document.ts';
import { readAuthority } from './authority.ts';
import { exceptionsOf } from './exceptions.ts';
import { distinct, type PolicyExpression, type PolicyNames } from './names.ts';
import { readImagePattern, readPattern } from './pattern.ts';
import { requirementOf } from './requirement.ts';

/** Every place where a policy is enforced, in the order of the documentation. */
export const SURFACES: readonly Surface[] = ['pull', 'admission', 'gate', 'node', 'watch'];

/** Reserved: the root of public Sigstore that the release carries. */
export const PUBLIC_GOOD = 'public-good';

/** Names of authorities and trust roots: they stand in findings and in file names. */
const readName = textOf(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
  'a name of up to 63 letters, digits, dots, dashes and underscores',
);

/** `spec` of a policy, and the expressions in it; everything but the policy's name. */
export function readSpec(
  at: YamlCursor,
  expressions: PolicyExpression[],
): Omit<TrustPolicy, 'name'> | undefined {
  const authorities = memberOf(at, 'authorities');
  const names: PolicyNames = { authorities: keysOf(authorities), used: new Set(), expressions };
  const fields = readFields(
    at,
    {
      description: optional(readText, null),
      images: required(listOf(readImagePattern, { min: 1 })),
      exclude: optional(listOf(readImagePattern), []),
      surfaces: optional(distinct(listOf(oneOf(SURFACES), { min: 1 })), SURFACES),
      namespaces: optional(listOf(readPattern, { min: 1 }), null),
      environments: optional(distinct(listOf(readText, { min: 1 })), null),
      mode: optional(oneOf(['enforce', 'warn', 'audit']), 'enforce' as const),
      onInconclusive: optional(readOnInconclusive, 'deny' as const),
      tags: optional(oneOf(['pin', 'refuse', 'leave']), 'pin' as const),
      tree: optional(oneOf(['named', 'index', 'leaf', 'any', 'both']), 'any' as const),
      rollback: optional(oneOf(['allow', 'refuse']), 'allow' as const),
      trustRoots: optional(readTrustRoots, {}),
      authorities: required(namedOf<AuthoritySpec>(readAuthority)),
      require: required(requirementOf(names)),
      exceptions: optional(exceptionsOf(authorities, names), null),
    },
    'policy.unknown-field',
  );
  if (fields !== undefined) warnUnused(authorities, names);
  return fields;
}

/** A map whose keys are names, as an object without prototype. */
function namedOf<T>(read: Read<T>): Read<Readonly<Record<string, T>>> {
  const readMap = mapOf(read);
  return (at) => {
    const map = readMap(at);
    if (at.node?.kind !== 'map') return undefined;
    for (const { key, place } of at.node.entries) {
      readName({ ...at, node: { kind: 'scalar', value: key, place }, place });
    }
    if (map === undefined) return undefined;
    const named: Record<string, T> = Object.create(null);
    for (const [key, value] of map) named[key] = value;
    return named;
  };
}

const readTrustRootFile: Read<{ readonly file: string }> = (at) =>
  readFields(at, { file: required(readText) }, 'policy.unknown-field');

function readTrustRoots(at: YamlCursor): TrustPolicy['trustRoots'] | undefined {
  const roots = namedOf(readTrustRootFile)(at);
  if (keysOf(at).includes(PUBLIC_GOOD)) {
    const message = `${quote(PUBLIC_GOOD)} is the root that this release carries; give yours another name`;
    return addProblem(memberOf(at, PUBLIC_GOOD), message);
  }
  return roots;
}

const ANSWERS = ['deny', 'warn', 'lastKnownGood'] as const;

function readOnInconclusive(at: YamlCursor): OnInconclusive | undefined {
  if (at.node?.kind === 'map') {
    const lastKnownGood: Read<{ readonly maxAge: number }> = (member) =>
      readFields(member, { maxAge: required(durationMsOf()) }, 'policy.unknown-field');
    const fields = { lastKnownGood: required(lastKnownGood) };
    const answer = readFields(at, fields, 'policy.unknown-field');
    return answer && { lastKnownGood: { maxAgeMs: answer.lastKnownGood.maxAge } };
  }
  const word = oneOf(ANSWERS)(at);
  if (word !== 'lastKnownGood') return word;
  return addUnexpected(at, '`lastKnownGood: { maxAge: 15m }`');
}

function warnUnused(authorities: YamlCursor, { used }: PolicyNames): void {
  for (const key of keysOf(authorities).filter((name) => !used.has(name))) {
    const message = `no requirement names the authority ${quote(key)}, and no exceptions do`;
    addWarning(memberOf(authorities, key), 'policy.authority-unused', message);
  }
}
