import { optional, readFields } from '../../bytes/yaml/fields.ts';
import {
  addProblem,
  addUnexpected,
  keysOf,
  readText,
  type YamlCursor,
} from '../../bytes/yaml/read.ts';
import { asFault, quote } from '../../fault/fault.ts';
import { canonicalName, parseReference, parseRegistryHost } from '../../oci/reference.ts';
import { compilePattern, type Pattern } from '../pattern.ts';

const FORMS = {
  exact: optional(readText, null),
  glob: optional(readText, null),
  regex: optional(readText, null),
};

/**
 * A pattern as `{ exact }`, `{ glob }` or `{ regex }`, compiled once to see that it can be
 * (`policy.pattern-invalid`). A bare text is refused: it would secretly be one of the three.
 */
export function readPattern(at: YamlCursor): Pattern | undefined {
  if (at.node?.kind !== 'map') return addUnexpected(at, 'one of exact, glob, regex with its text');
  const forms = readFields(at, FORMS, 'policy.unknown-field');
  if (forms === undefined) return undefined;
  const { exact, glob, regex } = forms;
  const given: readonly Pattern[] = [
    ...(exact === null ? [] : [{ exact }]),
    ...(glob === null ? [] : [{ glob }]),
    ...(regex === null ? [] : [{ regex }]),
  ];
  const [pattern] = given;
  // A form that is none of the three has been refused already.
  if (pattern === undefined && keysOf(at).length > 0) return undefined;
  if (pattern === undefined || given.length > 1) {
    return addProblem(
      at,
      `expected exactly one of exact, glob, regex at ${at.place.path}, found ${given.length}`,
    );
  }
  try {
    compilePattern(pattern);
    return pattern;
  } catch (error) {
    const { message, remedy } = asFault(error);
    return addProblem(at, `${message} at ${at.place.path}`, {
      code: 'policy.pattern-invalid',
      remedy,
    });
  }
}

/**
 * A pattern of image names. One that no canonical name can match (semantics 7: `nginx`, a tag, a
 * host in upper case) is an error: its policy would cover less than its writer meant.
 */
export function readImagePattern(at: YamlCursor): Pattern | undefined {
  const pattern = readPattern(at);
  if (pattern === undefined || 'regex' in pattern) return pattern;
  const meant = 'exact' in pattern ? canonicalExact(pattern.exact) : canonicalGlob(pattern.glob);
  const text = 'exact' in pattern ? pattern.exact : pattern.glob;
  if (meant === text) return pattern;
  const tail = meant === null ? '' : ` (did you mean ${quote(meant)}?)`;
  return addProblem(at, `no image has a name like ${quote(text)} at ${at.place.path}${tail}`, {
    code: 'policy.pattern-invalid',
    remedy: NAME_REMEDY,
  });
}

const NAME_REMEDY =
  'Write the whole name as registry/repository, without tag or digest: docker.io/library/nginx.';

/** The canonical name that a text means; null when it names no repository. */
function canonicalExact(text: string): string | null {
  try {
    const reference = parseReference(text);
    return reference.kind === 'registry' ? canonicalName(reference) : null;
  } catch {
    return null;
  }
}

/** The glob with its host made canonical; null when it can match no canonical name. */
function canonicalGlob(glob: string): string | null {
  const slash = glob.indexOf('/');
  const first = slash === -1 ? glob : glob.slice(0, slash);
  if (first.includes('**')) return isPath(glob.replace(/:\d+(?=\/|$)/, '')) ? glob : null;
  const rest = glob.slice(slash + 1);
  // Without a slash only `**` can stand for the one that every name has.
  if (slash === -1 || !isPath(rest)) return null;
  // A `*` stands for a port as well, and the default port is in no name.
  if (first.includes('*')) return `${first.toLowerCase().replace(/:0*443$/, '')}/${rest}`;
  if (!/[.:]/.test(first) && first !== 'localhost') return `docker.io/${glob}`;
  const host = canonicalHost(first);
  if (host === null) return null;
  // Official images of Docker Hub are below `library/`.
  const isOfficial = host === 'docker.io' && !rest.includes('/') && !rest.includes('**');
  return isOfficial ? `${host}/library/${rest}` : `${host}/${rest}`;
}

function canonicalHost(text: string): string | null {
  try {
    return parseRegistryHost(text);
  } catch {
    return null;
  }
}

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);

/** Whether the grammar of repositories has a name of this form: `*` stands for a letter then. */
function isPath(glob: string): boolean {
  return PATH.test(glob.replace(/\*+/g, 'a'));
}
