import { styleText } from 'node:util';
import type { Outcome } from '@bulla/trust/finding/finding';
import { type Paint, renderFinding } from '@bulla/trust/finding/render-text';
import { exitCodeOf, type Verdict } from '@bulla/trust/finding/verdict';
import type { CliContext } from '../context.ts';

/** How verdicts are printed. */
export type OutputFormat = 'text' | 'json' | 'sarif';

const TITLES = {
  pass: 'VERIFIED',
  fail: 'REFUSED',
  inconclusive: 'INCONCLUSIVE',
  skipped: 'REFUSED',
} as const satisfies Record<Outcome, string>;

const COLOURS = { pass: 'green', fail: 'red', inconclusive: 'yellow', skipped: 'gray' } as const;

function painter(context: CliContext): Paint {
  const { NO_COLOR } = context.env;
  if (!context.terminal.out || (NO_COLOR !== undefined && NO_COLOR !== ''))
    return (_, text) => text;
  return (outcome, text) => styleText(COLOURS[outcome], text);
}

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
      context.out(JSON.stringify(document, null, 2));
      return;
    }
    case 'sarif': {
      const { sarifLog } = await import('./sarif.ts');
      context.out(JSON.stringify(sarifLog(verdicts), null, 2));
      return;
    }
    default:
      format satisfies never;
  }
}

function printText(verdict: Verdict, context: CliContext): void {
  const paint = painter(context);
  const { outcome } = verdict.finding;
  context.out(`${paint(outcome, TITLES[outcome])}  ${verdict.artifact}`);
  const lines = renderFinding(verdict.finding, { paint });
  lines.forEach((line, index) => {
    context.out(`${index === 0 ? '└─ ' : '   '}${line}`);
  });
}
