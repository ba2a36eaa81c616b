/** A package URL (package-url/purl-spec), its parts decoded; the subpath is left out. */
export interface PackageUrl {
  readonly type: string;
  readonly namespace: string | null;
  readonly name: string;
  readonly version: string | null;
  readonly qualifiers: ReadonlyMap<string, string>;
}

const MAX_LENGTH = 4096;

/** The package URL in `text`, or null when it is none. */
export function parsePurl(text: string): PackageUrl | null {
  if (text.length > MAX_LENGTH || !text.toLowerCase().startsWith('pkg:')) return null;
  const [beforeSubpath = ''] = text.slice('pkg:'.length).split('#', 1);
  const question = beforeSubpath.indexOf('?');
  const path = question === -1 ? beforeSubpath : beforeSubpath.slice(0, question);
  const query = question === -1 ? '' : beforeSubpath.slice(question + 1);
  try {
    const at = path.lastIndexOf('@');
    // An `@` in the namespace stands before the last slash.
    const hasVersion = at > path.lastIndexOf('/');
    const version = hasVersion ? decodeURIComponent(path.slice(at + 1)) : null;
    const named = (hasVersion ? path.slice(0, at) : path).replaceAll(/^\/+|\/+$/g, '');
    const [type = '', ...rest] = named.split('/').map((part) => decodeURIComponent(part));
    const name = rest.pop() ?? '';
    if (!/^[a-zA-Z][a-zA-Z0-9.+-]*$/.test(type) || name === '') return null;
    return {
      type: type.toLowerCase(),
      namespace: rest.length === 0 ? null : rest.join('/'),
      name,
      version: version === '' ? null : version,
      qualifiers: parseQualifiers(query),
    };
  } catch {
    // A percent sign that encodes nothing.
    return null;
  }
}

function parseQualifiers(query: string): ReadonlyMap<string, string> {
  const pairs = query.split('&').flatMap((pair): readonly (readonly [string, string])[] => {
    const equals = pair.indexOf('=');
    if (equals < 1) return [];
    return [[pair.slice(0, equals).toLowerCase(), decodeURIComponent(pair.slice(equals + 1))]];
  });
  return new Map(pairs);
}

/**
 * Whether `wide` names the package `narrow` or all versions of it: what `wide` leaves out may be
 * anything, what it says must be the same (OpenVEX, "Product").
 */
export function purlCovers(wide: PackageUrl, narrow: PackageUrl): boolean {
  if (wide.type !== narrow.type || wide.name !== narrow.name) return false;
  if (wide.namespace !== narrow.namespace) return false;
  if (wide.version !== null && wide.version !== narrow.version) return false;
  return [...wide.qualifiers].every(([key, value]) => narrow.qualifiers.get(key) === value);
}
