import { printable } from '@bulla/trust/fault/fault';
import type { Outcome } from '@bulla/trust/finding/finding';
import { exitCodeOf, type Verdict } from '@bulla/trust/finding/verdict';
import type { CliContext } from '../context.ts';
import { painter, printFindings } from './findings.ts';
import { jsonText } from './json.ts';

/** How verdicts are printed. */
export type OutputFormat = 'text' | 'json' | 'sarif';

/** The word that a verdict begins with; what was only skipped is not verified. */
export const TITLES = {
  pass: 'VERIFIED',
  fail: 'REFUSED',
  inconclusive: 'INCONCLUSIVE',
  skipped: 'REFUSED',
} as const satisfies Record<Outcome, string>;

/** Prints each verdict and notes its exit code. */
export async function printVerdicts(
  verdicts: readonly Verdict[],
  format: OutputFormat,
  context: CliContext,
): Promise<void> {
  for (const verdict of verdicts) context.exit.note(exitCodeOf(verdict.finding));
  switch (format) {
    case 'text':
      for (const verdict of verdicts) printText(verdict, context);
      return;
    case 'json': {
      const { verdictJson } = await import('@bulla/trust/finding/render-json');
      const document = {
        schema: 'https://bulla.dev/schemas/verdict/v1',
        verdicts: verdicts.map(verdictJson),
      };
      context.out(jsonText(document));
      return;
    }
    case 'sarif': {
      const { sarifLog } = await import('./sarif.ts');
      context.out(jsonText(sarifLog(verdicts)));
      return;
    }
    default:
      format satisfies never;
  }
}

function printText(verdict: Verdict, context: CliContext): void {
  const paint = painter(context);
  const { outcome } = verdict.finding;
  // A file's name may hold a line that reads like another verdict.
  context.out(`${paint(outcome, TITLES[outcome])}  ${printable(verdict.artifact)}`);
  printFindings(verdict.finding, context);
}
