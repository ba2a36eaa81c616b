import { quote, TrustFault } from '../fault/fault.ts';
import {
  canonicalName as canonicalReference,
  parseReference,
  type Reference,
} from '../oci/reference.ts';

/**
 * A mirror or a prefix of a gateway, and what it stands for: names under `from` are names under
 * `to`. Both are `HOST[:PORT][/PATH]`, such as `gateway.example/hub` and `docker.io`.
 */
export interface NameAlias {
  readonly from: string;
  readonly to: string;
}

/**
 * The one name by which policies know a repository (semantics 7), `registry/repository`: host in
 * lower case, default port removed, Docker Hub's aliases and `library/` expanded, and the longest
 * alias that is the name or its beginning up to a `/` mapped back, once. A tag or digest falls away; an
 * image layout is `oci:PATH`. Throws `reference.malformed`, and `usage.invalid` for an alias.
 */
export function canonicalName(
  reference: string | Reference,
  aliases: readonly NameAlias[],
): string {
  return nameReader(aliases)(reference);
}

/** `canonicalName` for the same aliases each time, which are read once. */
export function nameReader(
  aliases: readonly NameAlias[],
): (reference: string | Reference) => string {
  const known = readAliases(aliases);
  return (reference) => {
    const parsed = typeof reference === 'string' ? parseReference(reference) : reference;
    const name = canonicalReference(parsed);
    if (parsed.kind !== 'registry') return name;
    const alias = known.find(
      ({ from, to }) => name.startsWith(`${from}/`) || (name === from && to.includes('/')),
    );
    if (alias === undefined) return name;
    // Read anew: `docker.io/nginx`, which is left, means `docker.io/library/nginx`.
    return canonicalReference(parseReference(`${alias.to}${name.slice(alias.from.length)}`));
  };
}

/** Aliases with canonical hosts, the longest first; each name has one meaning only. */
function readAliases(aliases: readonly NameAlias[]): readonly NameAlias[] {
  const read = aliases.map(({ from, to }) => ({ from: readPrefix(from), to: readPrefix(to) }));
  const twice = read.find(({ from }, at) => read.findIndex((alias) => alias.from === from) !== at);
  if (twice !== undefined) {
    throw new TrustFault('usage.invalid', `the alias ${quote(twice.from)} is given twice`);
  }
  return read.toSorted((a, b) => b.from.length - a.from.length);
}

const PROBE = 'probe/probe';

function readPrefix(text: string): string {
  const [host = ''] = text.split('/');
  const isHost = host === 'localhost' || /[.:]/.test(host);
  try {
    const parsed = isHost ? parseReference(`${text}/${PROBE}`) : null;
    if (parsed?.kind === 'registry' && parsed.tag === undefined && parsed.digest === undefined) {
      return canonicalReference(parsed).slice(0, -PROBE.length - 1);
    }
  } catch {
    // Said below, of the prefix as it was written.
  }
  throw new TrustFault(
    'usage.invalid',
    `expected HOST[:PORT][/PATH] as an alias of names, found ${quote(text)}`,
  );
}
