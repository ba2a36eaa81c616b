import { quote, TrustFault } from '@bulla/trust/fault/fault';

/** A request target (RFC 9112 §3.2.1, origin form) in its parts. */
export interface Target {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

const PATH_LONGEST = 8192;
// A segment that names nothing, leads elsewhere, or reads otherwise behind another proxy.
const UNSAFE = /^\.{1,2}$|[/\\\p{Cc}]/u;

/**
 * The segments and the query of a raw request target. Each segment is decoded once. Throws
 * `http.path-invalid` for anything but the origin form, for an empty segment (but the last), for
 * `.` and `..`, for an encoded slash, backslash or control, and for a malformed escape: what one
 * proxy decodes and another does not must not reach a name.
 */
export function parseTarget(raw: string): Target {
  const question = raw.indexOf('?');
  const path = question === -1 ? raw : raw.slice(0, question);
  if (!path.startsWith('/') || path.length > PATH_LONGEST) throw invalid(path);
  const segments = path
    .slice(1)
    .split('/')
    .map((part, index, all) => {
      const segment = part.includes('%') ? decode(part, path) : part;
      const emptyInside = segment === '' && index < all.length - 1;
      if (emptyInside || UNSAFE.test(segment)) throw invalid(path);
      return segment;
    });
  return {
    segments,
    query: new URLSearchParams(question === -1 ? '' : raw.slice(question + 1)),
  };
}

function decode(part: string, path: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid(path);
  }
}

function invalid(path: string): TrustFault {
  return new TrustFault('http.path-invalid', `expected a plain path, found ${quote(path)}`);
}
