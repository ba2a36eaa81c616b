import { codeEntry } from '@bulla/trust/fault/codes';
import { asFault, printable, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { CliContext } from '../context.ts';

/** Commander's own way out: help, version and wrong options. */
function commanderExit(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  const { code } = error;
  if (typeof code !== 'string' || !code.startsWith('commander.')) return null;
  return code === 'commander.helpDisplayed' || code === 'commander.version' ? 0 : 2;
}

/** An answer that could not be written, to a full disk for one. */
function outputFault(error: unknown): TrustFault | null {
  if (!(error instanceof Error) || !('syscall' in error) || error.syscall !== 'write') return null;
  return new TrustFault('usage.file', `cannot write the answer: ${quote(error.message)}`);
}

/** Prints a fault with its code and remedy, never a stack trace, and notes its exit code. */
export function report(error: unknown, context: CliContext): void {
  const usage = commanderExit(error);
  if (usage !== null) {
    context.exit.note(usage === 0 ? 0 : 2);
    return;
  }
  const fault = outputFault(error) ?? asFault(error);
  context.err(`error: ${printable(fault.message)}  [${fault.code}]`);
  context.err(`remedy: ${printable(fault.remedy)}`);
  if (fault.code === 'internal.defect' && context.env['BULLA_DEBUG'] !== undefined) {
    const cause = fault.cause;
    if (cause instanceof Error) context.err(cause.stack ?? cause.message);
  }
  context.exit.note(codeEntry(fault.code).exit);
}
