import {
  asArray,
  asOneOf,
  asString,
  type Cursor,
  cursor,
  member,
  optional,
} from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { PREDICATE_TYPES, predicateTypeMatches } from './predicate-type.ts';
import type { Statement } from './statement.ts';

const MAX_PACKAGES = 1_000_000;

/**
 * How many packages a bill of materials lists: SPDX 2 in JSON or as tag-value text, SPDX 3, and
 * CycloneDX in JSON with components inside of components. Throws `predicate.malformed`.
 */
export function countPackages({ predicateType, predicate }: Statement): number {
  const at = cursor(predicate, 'predicate', 'predicate.malformed');
  if (predicateTypeMatches(PREDICATE_TYPES.cyclonedx, predicateType)) {
    asOneOf(member(at, 'bomFormat'), ['CycloneDX']);
    return countComponents(at);
  }
  if (predicateTypeMatches(PREDICATE_TYPES.spdx, predicateType)) return countSpdx(at);
  throw new TrustFault(
    'predicate.malformed',
    `expected a bill of materials, found a statement of type ${quote(predicateType)}`,
  );
}

function countComponents(at: Cursor): number {
  const counts = optional(member(at, 'components'), (list) =>
    asArray(list, (component) => 1 + countComponents(component), MAX_PACKAGES),
  );
  return (counts ?? []).reduce((sum, count) => sum + count, 0);
}

function countSpdx(at: Cursor): number {
  if (typeof at.value === 'string') return countTagValue(at.value, at);
  const graph = optional(member(at, '@graph'), (list) =>
    asArray(list, (element) => optional(member(element, 'type'), asString), MAX_PACKAGES),
  );
  if (graph !== undefined) return graph.filter((type) => type === 'software_Package').length;
  const version = asString(member(at, 'spdxVersion'));
  if (!version.startsWith('SPDX-2.')) {
    throw new TrustFault(at.code, `expected SPDX of version 2 or 3, found ${quote(version)}`);
  }
  const names = optional(member(at, 'packages'), (list) =>
    asArray(list, (found) => asString(member(found, 'name')), MAX_PACKAGES),
  );
  return (names ?? []).length;
}

function countTagValue(text: string, at: Cursor): number {
  if (!/^SPDXVersion: *SPDX-2\./m.test(text)) {
    throw new TrustFault(at.code, 'expected SPDX 2 in tag-value form, found other text');
  }
  return [...text.matchAll(/^PackageName:/gm)].length;
}
