import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { UpdateResult } from 'kysely';
import type { StoredException } from './exception.ts';
import { getException } from './find.ts';
import type { ExceptionParts } from './ground.ts';

/**
 * The exception after its row was changed, where it still stood as it had to; counted as `done`.
 * Throws `exception.state` when somebody else was first and no row was changed, with what was
 * `expected` of it.
 */
export async function changed(
  parts: ExceptionParts,
  id: string,
  { numUpdatedRows }: UpdateResult,
  { expected, done }: { readonly expected: string; readonly done: string },
): Promise<StoredException> {
  const stored = await getException(parts.tables.db, id);
  if (numUpdatedRows === 0n) throw wrongState(stored, expected);
  parts.metrics.done(done);
  return stored;
}

/** The fault of an act that an exception's state does not allow. */
export function wrongState({ id, state }: StoredException, expected: string): TrustFault {
  return new TrustFault('exception.state', `expected ${expected}, found ${quote(id)} ${state}`);
}
