import { TrustFault } from '@bulla/trust/fault/fault';
import type { CliContext } from '../context.ts';

/** What is asked before something is done that nobody takes back. */
export interface AskedBefore {
  /** `an approval`, for the sentence that says that it asks. */
  readonly what: string;
  readonly question: string;
  /** Said when the answer is no. */
  readonly declined: string;
  /** What to do where there is no terminal to ask on. */
  readonly remedy: string;
}

/**
 * Asks on a terminal; elsewhere `--yes` must have been given. Throws `usage.invalid` without either,
 * and `usage.interrupted` for a no.
 */
export async function requireYes(
  { yes }: { readonly yes?: true },
  { terminal }: CliContext,
  { what, question, declined, remedy }: AskedBefore,
): Promise<void> {
  if (yes === true) return;
  if (!terminal.in) {
    const says = `${what} asks first, and there is no terminal to ask on`;
    throw new TrustFault('usage.invalid', says, remedy);
  }
  const { askYes } = await import('../output/prompt.ts');
  if (await askYes(question)) return;
  throw new TrustFault('usage.interrupted', declined);
}
