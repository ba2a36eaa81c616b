import { buildPredicate } from '@bulla/trust/claims/predicate';
import type { CliContext } from '../context.ts';
import { readNamedFile } from './wrong-use.ts';

/** The largest predicate file: an SBOM of a very large image. */
const MAX_PREDICATE_BYTES = 64 << 20;

/** The predicate in a file (`-`: standard input), checked as its type demands. */
export function readPredicate(path: string, type: string, context: CliContext): Promise<unknown> {
  const { signal } = context;
  return readNamedFile(
    { path, maxBytes: MAX_PREDICATE_BYTES, signal },
    'predicate.malformed',
    (bytes) => buildPredicate(type, bytes, context.clock()),
  );
}
