import { type Code, codeEntry } from '../fault/codes.ts';
import { printable } from '../fault/fault.ts';
import type { Finding, Outcome } from './finding.ts';

/** How an outcome is painted; the identity for plain text. */
export type Paint = (outcome: Outcome, text: string) => string;

/** How a tree is drawn. */
export interface RenderOptions {
  readonly paint?: Paint;
  /** So many children of one node are drawn whole; the rest is one line. Default 12. */
  readonly maxChildren?: number;
}

const WORDS = {
  pass: 'pass',
  fail: 'fail',
  inconclusive: 'inconclusive',
  skipped: 'skipped',
} as const;
const plain: Paint = (_, text) => text;

/**
 * The tree of a finding as lines for people: outcome, check, sentence, source clause, and a remedy
 * under each leaf that did not pass. Control characters of foreign text are escaped.
 */
export function renderFinding(finding: Finding, options: RenderOptions = {}): readonly string[] {
  return renderNode(finding, '', '', {
    paint: options.paint ?? plain,
    maxChildren: options.maxChildren ?? 12,
    remedies: true,
  });
}

interface Drawing extends Required<RenderOptions> {
  readonly remedies: boolean;
}

function renderNode(
  finding: Finding,
  first: string,
  rest: string,
  options: Drawing,
): readonly string[] {
  const word = options.paint(finding.outcome, WORDS[finding.outcome].padEnd(4));
  const source = finding.source === undefined ? '' : `   (${finding.source})`;
  const lines = [
    `${first}${word}  ${finding.check}  ${printable(finding.says)}${needs(finding)}${source}`,
  ];
  const children = finding.because ?? [];
  // Under a node that passed nothing needs mending; what a child explains is mended there, and what
  // none does (a threshold that one key cannot meet twice) at the node itself.
  const isExplained = children.some(
    ({ outcome }) => outcome === 'fail' || outcome === 'inconclusive',
  );
  const remedy = options.remedies && !isExplained ? remedyOf(finding) : null;
  if (remedy !== null) lines.push(`${rest}      remedy: ${printable(remedy)}`);
  const below = finding.outcome === 'pass' ? { ...options, remedies: false } : options;
  const { drawn, left } = choose(children, options.maxChildren);
  drawn.forEach((child, index) => {
    const last = index === drawn.length - 1 && left === 0;
    const own = `${rest}${last ? '└─ ' : '├─ '}`;
    lines.push(...renderNode(child, own, `${rest}${last ? '   ' : '│  '}`, below));
  });
  if (left > 0) lines.push(`${rest}└─ and ${left} more findings (all of them with -o json)`);
  return lines;
}

function needs(finding: Finding): string {
  const children = finding.because?.length ?? 0;
  if (children < 2 || finding.needs === undefined || finding.needs === 'all') return '';
  return finding.needs === 'any'
    ? `   [any of ${children}]`
    : `   [needs ${finding.needs} of ${children}]`;
}

/** The remedy of a finding that did not pass: its own, else its code's. */
export function remedyOf(finding: Finding): string | null {
  if (finding.outcome === 'pass' || finding.outcome === 'skipped') return null;
  if (finding.remedy !== undefined) return finding.remedy;
  const code: Code | undefined = finding.code;
  return code === undefined ? null : codeEntry(code).remedy;
}

/** Passing children are never hidden by failing ones: a thousand garbage siblings stay one line. */
function choose(
  children: readonly Finding[],
  max: number,
): { readonly drawn: readonly Finding[]; readonly left: number } {
  if (children.length <= max) return { drawn: children, left: 0 };
  const passing = children.filter((child) => child.outcome === 'pass');
  const others = children.filter((child) => child.outcome !== 'pass');
  const drawn = [...passing, ...others].slice(0, max);
  return { drawn, left: children.length - drawn.length };
}
