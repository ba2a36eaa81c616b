import { optional, readFields, required } from '../../bytes/yaml/fields.ts';
import { durationMsOf } from '../../bytes/yaml/quantity.ts';
import {
  addProblem,
  addWarning,
  keysOf,
  memberOf,
  oneOf,
  type Read,
  type YamlCursor,
} from '../../bytes/yaml/read.ts';
import { quote } from '../../fault/fault.ts';
import { durationText } from '../../finding/duration.ts';
import type { BreakGlassRules, ExceptionRules } from '../document.ts';
import { authorityNamesOf, type PolicyNames } from './names.ts';

/** Semantics 17: break-glass holds for at most four hours. */
const BREAK_GLASS_MOST_MS = 4 * 3_600_000;

/** Longer than this an exception outlives what it was given for. */
const LONG_MS = 30 * 24 * 3_600_000;

/**
 * `spec.exceptions`: who approves them, how long and how wide they may be. Approvers and break-glass
 * keys are authorities of the kind `key`, and no key does both.
 */
export function exceptionsOf(
  authorities: YamlCursor,
  names: PolicyNames,
): Read<ExceptionRules | null> {
  const readKeys: Read<readonly string[]> = (at) => {
    const keys = authorityNamesOf(names)(at);
    for (const name of keys ?? []) refuseOtherKind(at, memberOf(authorities, name), name);
    return keys;
  };
  const readBreakGlass: Read<BreakGlassRules> = (at) => {
    const fields = readFields(
      at,
      {
        keys: required(readKeys),
        maxDuration: optional(durationMsOf({ maxMs: BREAK_GLASS_MOST_MS }), BREAK_GLASS_MOST_MS),
      },
      'policy.unknown-field',
    );
    return fields && { keys: fields.keys, maxDurationMs: fields.maxDuration };
  };
  return (at) => {
    const fields = readFields(
      at,
      {
        approvers: required(readKeys),
        maxDuration: required(durationMsOf()),
        maxScope: optional(oneOf(['digest', 'repository']), 'digest' as const),
        breakGlass: optional(readBreakGlass, null),
      },
      'policy.unknown-field',
    );
    if (fields === undefined) return undefined;
    const { approvers, maxDuration, maxScope, breakGlass } = fields;
    if (maxDuration > LONG_MS) {
      const message = `an exception of ${durationText(maxDuration)} is a rule that nobody looks at again; expected at most ${durationText(LONG_MS)}`;
      addWarning(memberOf(at, 'maxDuration'), 'policy.exceptions-long', message);
    }
    const both = breakGlass?.keys.find((name) => approvers.includes(name));
    if (both !== undefined) {
      const message = `${quote(both)} approves exceptions, and a break-glass key is kept for that alone`;
      return addProblem(memberOf(at, 'breakGlass'), message, { code: 'policy.break-glass-shared' });
    }
    return { approvers, maxDurationMs: maxDuration, maxScope, breakGlass };
  };
}

/** A key can be kept and named beforehand; an identity of a sign-in is not there in an emergency. */
function refuseOtherKind(at: YamlCursor, authority: YamlCursor, name: string): void {
  const kinds = keysOf(authority);
  if (authority.node === undefined || kinds.includes('key')) return;
  const message = `expected an authority of the kind key at ${at.place.path}, found ${quote(name)} of the kind ${kinds.join(', ')}`;
  addProblem(at, message);
}
