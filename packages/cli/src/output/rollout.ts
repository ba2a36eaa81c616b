import { printable } from '@bulla/trust/fault/fault';
import type { CliContext } from '../context.ts';
import { jsonText } from './json.ts';
import { tableLines } from './table.ts';

/** A rollout as it is printed. */
export interface PrintedRollout {
  readonly policy: string;
  readonly owner: string;
  readonly openedAt: string;
  readonly endsAt: string;
  readonly state: string;
  readonly fileMode: string | null;
  readonly unchanged: boolean;
  readonly cutOver: { readonly at: string; readonly by: string } | null;
}

/** What a policy would have denied. */
export interface PrintedDenial {
  readonly repository: string;
  readonly digest: string | null;
  readonly namespace: string | null;
  readonly code: string | null;
  readonly says: string;
  readonly count: number;
  readonly lastSeen: string;
  readonly mendedAt: string | null;
}

/** The same with what was observed. */
export interface PrintedStatus extends PrintedRollout {
  readonly wouldDeny: readonly PrintedDenial[];
  readonly complete: boolean;
  readonly asked: boolean;
}

const COLUMNS = [
  { title: 'POLICY', most: 40 },
  { title: 'STATE', most: 10 },
  { title: 'FILE', most: 8 },
  { title: 'OWNER', most: 30 },
  { title: 'WINDOW ENDS', most: 24 },
] as const;

/** Prints all rollouts as a table. */
export function printRollouts(rollouts: readonly PrintedRollout[], context: CliContext): void {
  const rows = rollouts.map(({ policy, state, fileMode, owner, endsAt }) => {
    return [policy, state, fileMode ?? '', owner, endsAt];
  });
  for (const line of tableLines(COLUMNS, rows)) context.out(line);
}

/**
 * Prints where a policy stands and what it would have denied, as lines or as the server's document, and
 * notes the exit code: 1 while anything that was not mended would be.
 */
export function printRollout(
  status: PrintedStatus,
  { output, document }: { readonly output: 'text' | 'json'; readonly document: unknown },
  context: CliContext,
): void {
  const open = status.wouldDeny.filter(({ mendedAt }) => mendedAt === null);
  context.exit.note(open.length > 0 || !status.complete ? 1 : 0);
  if (output === 'json') context.out(jsonText(document));
  else for (const line of linesOf(status, open.length)) context.out(printable(line));
}

function linesOf(status: PrintedStatus, open: number): readonly string[] {
  const { policy, owner, openedAt, endsAt, state, fileMode, cutOver, wouldDeny } = status;
  const then =
    cutOver === null
      ? `observed from ${openedAt} to ${endsAt}`
      : `cut over at ${cutOver.at} by ${cutOver.by}`;
  const lines = [`${policy}: ${state}, ${then}; ${owner} answers for it`];
  if (fileMode !== null && cutOver !== null && fileMode !== 'enforce') {
    lines.push(`  its file says mode: ${fileMode}; set mode: enforce in the file`);
  }
  if (!status.unchanged && state !== 'gone') {
    lines.push('  it asks for something else than when its window was opened: open a new one');
  }
  if (!status.asked) lines.push('  nothing was decided by it since');
  lines.push(`  ${open} would be denied, ${wouldDeny.length - open} were mended`);
  if (!status.complete) lines.push('  there are more than can be looked at');
  for (const {
    repository,
    digest,
    namespace,
    code,
    says,
    count,
    lastSeen,
    mendedAt,
  } of wouldDeny) {
    const image = digest === null ? repository : `${repository}@${digest}`;
    const where = namespace === null ? '' : `   namespace ${namespace}`;
    lines.push(`  ${mendedAt === null ? '✗' : '✓'} ${image}${where}`);
    const mended = mendedAt === null ? '' : `, mended at ${mendedAt}`;
    lines.push(`      ${code ?? ''}: ${says}`);
    lines.push(`      ${count} ${count === 1 ? 'time' : 'times'}, last at ${lastSeen}${mended}`);
  }
  return lines;
}
