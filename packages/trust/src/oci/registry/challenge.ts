/** One authentication challenge: its scheme in lower case and its parameters. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
// With its padding, or a character that a scheme cannot have: else it is the next scheme.
const TOKEN68 =
  /[A-Za-z0-9\-._~+/]+=+(?=\s*(?:,|$))|[A-Za-z0-9\-._~+]*\/[A-Za-z0-9\-._~+/]*(?=\s*(?:,|$))/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const GAP = /[ \t]*/y;
const SEPARATOR = /[ \t]*(?:,[ \t]*)+/y;
const LIMIT = 8192;
const MAX_CHALLENGES = 16;

/**
 * The challenges of a WWW-Authenticate header (RFC 9110 §11.6.1), several of them in one value
 * also. Reading stops where the grammar does; what was read before is returned. Parameter names are
 * in lower case; of a repeated parameter the first counts.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const text = header.slice(0, LIMIT);
  const found: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  take(SEPARATOR);
  while (at < text.length && found.length < MAX_CHALLENGES) {
    const scheme = take(TOKEN)?.[0];
    if (scheme === undefined) break;
    const parameters: Record<string, string> = Object.create(null);
    found.push({ scheme: scheme.toLowerCase(), parameters });
    take(GAP);
    if (take(TOKEN68) !== null) {
      take(SEPARATOR);
      continue;
    }
    for (;;) {
      const start = at;
      const name = take(TOKEN)?.[0]?.toLowerCase();
      take(GAP);
      if (name === undefined || text[at] !== '=') {
        // No parameter: the scheme of the next challenge.
        at = start;
        break;
      }
      at++;
      take(GAP);
      const value = take(QUOTED)?.[1]?.replace(/\\(.)/g, '$1') ?? take(TOKEN)?.[0];
      if (value === undefined) return found;
      parameters[name] ??= value;
      if (take(SEPARATOR) === null) break;
    }
    take(GAP);
    take(SEPARATOR);
    // Neither a separator nor a new scheme: the rest cannot be read.
    if (found.length > 0 && at < text.length && !/[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(text[at] ?? ''))
      break;
  }
  return found;
}
