import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { ApiRoute } from './route.ts';

/** A route that a request asks for, with the values of its parameters. */
export interface Matched<R> {
  readonly route: R;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Finds the route of a request below the API's prefix. Throws `http.not-found` for a path of no
 * route, and `http.method-unsupported` for one whose routes have other methods; `allowedOf` lists
 * them.
 */
export type MatchRoute<R> = (method: string, segments: readonly string[]) => Matched<R>;

interface Pattern<R> {
  readonly parts: readonly string[];
  readonly route: R;
}

const PART = /^(?:[a-z0-9][a-z0-9._-]*|:[a-zA-Z]+)$/;

/**
 * A table of routes by exact segments, where `:name` stands for one segment that is not empty; words
 * go before parameters. Throws `internal.defect` for a malformed path, and for two routes of one
 * method that the same request would match equally well.
 */
export function matchRoutes<R extends Pick<ApiRoute, 'method' | 'path'>>(
  routes: readonly R[],
): MatchRoute<R> {
  const patterns = routes.map((route): Pattern<R> => {
    const parts = route.path.slice(1).split('/');
    if (!parts.every((part) => PART.test(part))) {
      throw new TrustFault(
        'internal.defect',
        `expected a route's path, found ${quote(route.path)}`,
      );
    }
    return { parts, route };
  });
  requireDistinct(patterns);
  patterns.sort((one, other) => (rankOf(one.parts) < rankOf(other.parts) ? -1 : 1));
  return (method, segments) => {
    const fitting = patterns.filter(({ parts }) => fits(parts, segments));
    const [first] = fitting;
    if (first === undefined) {
      throw new TrustFault('http.not-found', `the API has no path ${quote(segments.join('/'))}`);
    }
    const found = fitting.find(({ route }) => route.method === method);
    if (found === undefined) throw wrongMethod(method, fitting);
    return { route: found.route, params: paramsOf(found.parts, segments) };
  };
}

/** Words sort before parameters, position by position. */
function rankOf(parts: readonly string[]): string {
  return parts.map((part) => (part.startsWith(':') ? '1' : '0')).join('');
}

function fits(parts: readonly string[], segments: readonly string[]): boolean {
  if (parts.length !== segments.length) return false;
  return parts.every((part, index) => {
    const segment = segments[index] ?? '';
    return part.startsWith(':') ? segment !== '' : part === segment;
  });
}

function paramsOf(
  parts: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> {
  const named = parts.flatMap((part, index) =>
    part.startsWith(':') ? [[part.slice(1), segments[index] ?? ''] as const] : [],
  );
  return Object.fromEntries(named);
}

function requireDistinct(patterns: readonly Pattern<Pick<ApiRoute, 'method' | 'path'>>[]): void {
  const seen = new Set<string>();
  for (const { parts, route } of patterns) {
    const shape = parts.map((part) => (part.startsWith(':') ? ':' : part)).join('/');
    const key = `${route.method} ${shape}`;
    if (seen.has(key)) throw new TrustFault('internal.defect', `two routes for ${quote(key)}`);
    seen.add(key);
  }
}

const allowed = new WeakMap<Error, string>();

function wrongMethod<R extends Pick<ApiRoute, 'method'>>(
  method: string,
  fitting: readonly Pattern<R>[],
): TrustFault {
  const fault = new TrustFault('http.method-unsupported', `no ${quote(method)} on this path`);
  allowed.set(fault, [...new Set(fitting.map(({ route }) => route.method))].join(', '));
  return fault;
}

/** The Allow header (RFC 9110 §10.2.1) of a fault for a wrong method; null for any other fault. */
export function allowedOf(fault: Error): string | null {
  return allowed.get(fault) ?? null;
}
