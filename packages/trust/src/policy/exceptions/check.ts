import type { ReadyPolicy } from '../policy-set.ts';
import { type ExceptionRefusal, exceptionRefusal } from './acceptance.ts';
import type { GivenException } from './document.ts';
import { signatureProblem } from './signatures.ts';

/**
 * Why a policy would not accept an exception where it is meant to hold: for its own digest, surface
 * and namespace. Null when the policy accepts it; whether it then lifts enough, only an image shows.
 */
export async function checkException(
  given: GivenException,
  policy: ReadyPolicy,
  at: Date,
): Promise<ExceptionRefusal | null> {
  const { id, exception } = given.document;
  const { repository, digest, surfaces, namespaces } = exception;
  const place = {
    repository,
    // Any digest stands for a whole repository.
    digests: new Set([digest ?? id]),
    surface: surfaces?.[0] ?? 'gate',
    namespace: namespaces?.[0] ?? null,
  } as const;
  const refused = exceptionRefusal(given, policy, place, at);
  if (refused !== null) return refused;
  const says = await signatureProblem(given.document);
  return says === null ? null : { code: 'exception.signature', says };
}
