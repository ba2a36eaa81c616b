import type { Subject } from './parser.ts';
import { ENCODINGS } from './parsers/encodings.ts';
import { EVIDENCE } from './parsers/evidence.ts';
import { KEYS } from './parsers/keys.ts';
import { POLICIES } from './parsers/policies.ts';
import { REGISTRY } from './parsers/registry.ts';

/**
 * Every parser of foreign bytes, one entry each in the list of its area; `npm test` fuzzes each for
 * two seconds.
 */
export const PARSERS: readonly Subject[] = [
  ...ENCODINGS,
  ...KEYS,
  ...REGISTRY,
  ...EVIDENCE,
  ...POLICIES,
];
