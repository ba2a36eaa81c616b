/**
 * What became of a clause that the other format cannot say: `reject` where its scope refuses every
 * image, `stricter` where less passes there than here, `wider` where names that no policy covers lie
 * under the scope, and pass with the signatures that the policy asks for.
 */
export type ExportEffect = 'reject' | 'stricter' | 'wider';

/** One remark about what was exported. */
export interface ExportNote {
  /** The policy that is meant; null for all of them. */
  readonly policy: string | null;
  /** The scope of the exported file; null for all of it. */
  readonly scope: string | null;
  readonly what: string;
  readonly effect: ExportEffect;
}

/** A note as one line of text. */
export function exportNoteText({ policy, scope, what, effect }: ExportNote): string {
  const about = [
    ...(policy === null ? [] : [`policy ${policy}`]),
    ...(scope === null ? [] : [scope === '' ? 'every registry' : scope]),
  ].join(', ');
  return `${about === '' ? '' : `${about}: `}${what} (${EFFECTS[effect]})`;
}

const EFFECTS = {
  reject: 'refuses every image there',
  stricter: 'stricter there',
  wider: 'covers more names there',
} as const satisfies Record<ExportEffect, string>;

/** Whether `scope` lies at or under `above`; the empty scope is above all. */
export function liesUnder(scope: string, above: string): boolean {
  return above === '' || scope === above || scope.startsWith(`${above}/`);
}
