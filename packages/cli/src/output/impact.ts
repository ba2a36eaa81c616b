import { printable } from '@bulla/trust/fault/fault';
import type { TouchedAuthority } from '@bulla/trust/policy/impact/changed-policies';
import type { Impact, PolicyImpact } from '@bulla/trust/policy/impact/judge';
import { type ImpactedImage, impactTotals } from '@bulla/trust/policy/impact/report';
import type { CliContext } from '../context.ts';
import { jsonText } from './json.ts';

/** What a change does to all images that were looked at, the worst first. */
export interface ImpactReport {
  readonly policySetHash: string;
  /** The changes, a few words each. */
  readonly changes: readonly string[];
  readonly touched: readonly TouchedAuthority[];
  readonly images: readonly ImpactedImage[];
}

const TITLES = {
  lost: 'lose their last valid path',
  unknown: 'cannot be told about from the evidence at hand',
  'at-risk': 'stay, and from then on hang by one signer',
  gained: 'pass, and did not before',
} as const satisfies Partial<Record<Impact, string>>;

const TOLD = ['lost', 'unknown', 'at-risk', 'gained'] as const;

/**
 * Prints what a change does, and notes its exit code: 1 when anything loses its last valid path, 3
 * when that cannot be told of some, else 0.
 */
export function printImpact(
  report: ImpactReport,
  output: 'text' | 'json',
  context: CliContext,
): void {
  const { byImpact } = impactTotals(report.images);
  context.exit.note(byImpact.lost > 0 ? 1 : byImpact.unknown > 0 ? 3 : 0);
  if (output === 'json') context.out(jsonText(documentOf(report)));
  else for (const line of linesOf(report)) context.out(line);
}

function documentOf({ policySetHash, changes, touched, images }: ImpactReport): object {
  return {
    schema: 'https://bulla.dev/schemas/policy-impact/v1',
    policySetHash,
    changes,
    touched,
    totals: impactTotals(images),
    images,
  };
}

function linesOf({ changes, touched, images }: ImpactReport): readonly string[] {
  const totals = impactTotals(images);
  const lines = changes.map((change) => `if ${change}:`);
  for (const { policy, authority, gone } of touched) {
    const then = gone ? 'counts no more' : 'counts by what is left';
    lines.push(`  ${printable(policy)}: ${printable(authority)} ${then}`);
  }
  for (const impact of TOLD) {
    const those = images.filter((image) => image.impact === impact);
    if (those.length > 0) lines.push(`${those.length} ${TITLES[impact]}:`);
    for (const image of those) lines.push(...imageLines(image));
  }
  const { kept, refused } = totals.byImpact;
  lines.push(
    `${totals.images} looked at: ${totals.byImpact.lost} lost (${totals.lostRunning} running, ${totals.lostDeployable} deployable), ` +
      `${totals.byImpact.unknown} unknown, ${totals.byImpact['at-risk']} at risk, ${kept} unaffected, ${refused} refused already`,
  );
  return lines;
}

const PLACES_MOST = 3;

function imageLines(image: ImpactedImage): readonly string[] {
  const { repository, digest, tags, running, why } = image;
  const called = tags.length === 0 ? '' : `   ${tags.join(', ')}`;
  const lines = [`  ${printable(`${repository}@${digest}${called}`)}`];
  if (running.length > 0) {
    const more = running.length > PLACES_MOST ? `, and ${running.length - PLACES_MOST} more` : '';
    lines.push(`    runs: ${printable(running.slice(0, PLACES_MOST).join(', '))}${more}`);
  }
  if (why !== null) lines.push(`    ${printable(why)}`);
  const worst = image.policies.filter(({ impact }) => impact === image.impact);
  for (const policy of worst) lines.push(...policyLines(policy));
  return lines;
}

function policyLines({ policy, mode, passedBy, clauses, reSign }: PolicyImpact): readonly string[] {
  const by = passedBy.length === 0 ? '' : ` passed by ${passedBy.join(', ')}`;
  return [
    `    ${printable(`${policy} (${mode})${by}`)}`,
    ...clauses.map(({ clause, code }) => `      ${printable(`${clause}  ${code}`)}`),
    ...reSign.flatMap(({ says, command }) => [
      `      to do: ${printable(says)}`,
      ...(command === null ? [] : [`        ${printable(command)}`]),
    ]),
  ];
}
