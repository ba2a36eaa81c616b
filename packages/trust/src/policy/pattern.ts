import { TrustFault } from '../fault/fault.ts';
import { parseGlob } from './pattern/glob.ts';
import { matchesProgram } from './pattern/match.ts';
import { compileProgram } from './pattern/program.ts';
import { parseRegex } from './pattern/regex.ts';

/**
 * What a value must be: the same text, a glob (`*` stays within `/`, `**` does not), or a regular
 * expression. All three are matched against the whole value.
 */
export type Pattern =
  | { readonly exact: string }
  | { readonly glob: string }
  | { readonly regex: string };

const MAX_PATTERN_LENGTH = 2048;
/** No honest identity or name comes near; a longer value matches no glob and no expression. */
const MAX_VALUE_LENGTH = 1 << 16;

/**
 * A test on one value, in time linear in its length, so that no value can stall a verifier. Throws
 * `policy.pattern-invalid`, with the position, for an expression outside of the subset that
 * `pattern/regex.ts` describes, and for a pattern that is empty, too long or repeats too much.
 */
export function compilePattern(pattern: Pattern): (value: string) => boolean {
  if ('exact' in pattern) {
    const exact = checked(pattern.exact);
    return (value) => value === exact;
  }
  const node =
    'glob' in pattern ? parseGlob(checked(pattern.glob)) : parseRegex(checked(pattern.regex));
  const program = compileProgram(node);
  return (value) => value.length <= MAX_VALUE_LENGTH && matchesProgram(program, value);
}

function checked(text: string): string {
  if (text === '' || text.length > MAX_PATTERN_LENGTH) {
    throw new TrustFault(
      'policy.pattern-invalid',
      `expected a pattern of 1 to ${MAX_PATTERN_LENGTH} characters, found ${text.length}`,
    );
  }
  return text;
}
