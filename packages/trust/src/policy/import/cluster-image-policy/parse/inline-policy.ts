import { optional, readFields, required } from '../../../../bytes/yaml/fields.ts';
import {
  addProblem,
  keysOf,
  oneOf,
  readBoolean,
  readText,
  type YamlCursor,
} from '../../../../bytes/yaml/read.ts';
import type { InlinePolicy } from '../document.ts';
import { anything } from './anything.ts';

const SOURCES = ['data', 'configMapRef', 'remote'] as const;

const FIELDS = {
  type: required(oneOf(['cue', 'rego'])),
  data: optional(readText, null),
  configMapRef: optional(anything, null),
  remote: optional(anything, null),
};

const SWITCH = optional(readBoolean, false);
const CIP_FIELDS = {
  ...FIELDS,
  fetchConfigFile: SWITCH,
  includeSpec: SWITCH,
  includeObjectMeta: SWITCH,
  includeTypeMeta: SWITCH,
};

/** PC-13: an expression and where it lies; the four `fetch` and `include` are of the whole policy only. */
export function readInlinePolicy(
  at: YamlCursor,
  level: 'cip' | 'attestation',
): InlinePolicy | undefined {
  const fields = readFields(at, level === 'cip' ? CIP_FIELDS : FIELDS, 'policy.unknown-field');
  if (fields === undefined) return undefined;
  const given = SOURCES.filter((source) => keysOf(at).includes(source));
  if (given.length !== 1) {
    return addProblem(
      at,
      `expected exactly one of ${SOURCES.join(', ')} at ${at.place.path}, found ${given.length}`,
    );
  }
  return { place: at.place, type: fields.type };
}
