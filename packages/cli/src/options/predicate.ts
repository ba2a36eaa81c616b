import { buildPredicate } from '@bulla/trust/claims/predicate';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { CliContext } from '../context.ts';
import { readNamedFile } from './wrong-use.ts';

/** The largest predicate file: an SBOM of a very large image. */
const MAX_PREDICATE_BYTES = 64 << 20;

/**
 * The predicate in a file (`-`: standard input), checked as its type demands. Throws
 * `usage.invalid` when no file was named, `usage.file` and `predicate.malformed`.
 */
export async function readPredicate(
  path: string | undefined,
  type: string,
  context: CliContext,
): Promise<unknown> {
  if (path === undefined) {
    throw new TrustFault('usage.invalid', 'nothing says what to attest', 'Give --predicate FILE.');
  }
  const { signal } = context;
  return readNamedFile(
    { path, maxBytes: MAX_PREDICATE_BYTES, signal },
    'predicate.malformed',
    (bytes) => buildPredicate(type, bytes, context.clock()),
  );
}
