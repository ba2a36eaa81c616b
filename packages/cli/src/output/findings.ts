import { styleText } from 'node:util';
import type { Finding } from '@bulla/trust/finding/finding';
import { type Paint, renderFinding } from '@bulla/trust/finding/render-text';
import type { CliContext } from '../context.ts';

const COLOURS = { pass: 'green', fail: 'red', inconclusive: 'yellow', skipped: 'gray' } as const;

/** Colours for outcomes on a terminal, unless NO_COLOR is set. */
export function painter(context: CliContext): Paint {
  const { NO_COLOR } = context.env;
  if (!context.terminal.out || (NO_COLOR !== undefined && NO_COLOR !== ''))
    return (_, text) => text;
  return (outcome, text) => styleText(COLOURS[outcome], text);
}

/** Prints a tree of findings under a line that is there already. */
export function printFindings(finding: Finding, context: CliContext): void {
  const lines = renderFinding(finding, { paint: painter(context) });
  lines.forEach((line, index) => {
    context.out(`${index === 0 ? '└─ ' : '   '}${line}`);
  });
}
