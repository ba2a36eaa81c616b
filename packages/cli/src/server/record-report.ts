import type { VerifyReport } from '@bulla/server/record/verify';
import { exitCodeOf } from '@bulla/trust/finding/verdict';
import type { CliContext } from '../context.ts';
import { painter, printFindings } from '../output/findings.ts';
import { jsonText } from '../output/json.ts';
import { TITLES } from '../output/verdict.ts';

/** Prints what a verification of the record came to, and notes its exit code, as of `verify`. */
export async function printReport(
  { finding, entries, end }: VerifyReport,
  output: 'text' | 'json',
  context: CliContext,
): Promise<void> {
  context.exit.note(exitCodeOf(finding));
  if (output === 'json') {
    const { findingJson } = await import('@bulla/trust/finding/render-json');
    const document = { outcome: finding.outcome, entries, end, finding: findingJson(finding) };
    context.out(jsonText(document));
    return;
  }
  const title = painter(context)(finding.outcome, TITLES[finding.outcome]);
  context.out(`${title}  ${entries === 1 ? '1 entry' : `${entries} entries`}`);
  printFindings(finding, context);
}
