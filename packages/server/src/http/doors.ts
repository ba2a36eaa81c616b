import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Door } from './exchange.ts';

/** A door and how many segments of the path its prefix takes. */
export interface Claim {
  readonly door: Door;
  readonly depth: number;
  /** What metrics, traces and logs call it. */
  readonly name: string;
}

/** Finds the door of a path; null when none claims it. */
export type FindDoor = (path: string) => Claim | null;

const PREFIX = /^\/(?:[\w.-]+(?:\/[\w.-]+)*)?$/;

/**
 * Sorts doors by their prefixes, the longest first. Throws `internal.defect` for a prefix that is
 * malformed or that two doors claim: a wiring mistake must not become a matter of order.
 */
export function claimPaths(doors: readonly Door[]): FindDoor {
  const byFirst = new Map<string, Claim[]>();
  const seen = new Set<string>();
  for (const door of doors) {
    const { prefix } = door;
    if (!PREFIX.test(prefix) || seen.has(prefix)) {
      throw new TrustFault(
        'internal.defect',
        `expected doors of their own, found ${quote(prefix)}`,
      );
    }
    seen.add(prefix);
    const parts = prefix.slice(1).split('/');
    const depth = prefix === '/' ? 0 : parts.length;
    const [first = ''] = parts;
    const claims = byFirst.get(first) ?? [];
    claims.push({ door, depth, name: door.name ?? prefix });
    claims.sort((one, other) => other.depth - one.depth);
    byFirst.set(first, claims);
  }
  return (path) => {
    const claims = byFirst.get(firstOf(path));
    return claims?.find(({ door: { prefix } }) => claimed(prefix, path)) ?? null;
  };
}

function firstOf(path: string): string {
  const end = path.indexOf('/', 1);
  return end === -1 ? path.slice(1) : path.slice(1, end);
}

function claimed(prefix: string, path: string): boolean {
  if (prefix === '/') return path === '/';
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}
