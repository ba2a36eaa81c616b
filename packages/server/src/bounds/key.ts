import { hash } from 'node:crypto';

/**
 * A key of 43 characters for what these parts say together; different parts never share one (SHA-256
 * over their JSON). Texts that are put together from many pieces stay in memory piece by piece, and
 * one of a map's keys would take more than what it leads to.
 */
export function keyOfParts(parts: readonly (string | number | null | readonly string[])[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url');
}
