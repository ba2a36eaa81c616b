import { printable, quote } from '@bulla/trust/fault/fault';
import type { CopyEvent, CopyResult } from '@bulla/trust/oci/copy';
import type { CliContext } from '../context.ts';

/** A copy that was done. */
export interface Copied {
  /** What was copied to where. */
  readonly says: string;
  readonly result: Pick<CopyResult, 'replacedTags' | 'joinedTags' | 'broken'>;
  readonly events: readonly CopyEvent[];
}

/** What was copied, what the target had already, and what the source names and does not have. */
export function printCopied({ says, result, events }: Copied, context: CliContext): void {
  context.out(says);
  const count = (what: CopyEvent['what'], isPresent: boolean) =>
    events.filter((event) => event.what === what && (event.how === 'present') === isPresent).length;
  context.out(
    `  manifests: ${count('manifest', false)} copied, ${count('manifest', true)} there already`,
  );
  context.out(`  blobs: ${count('blob', false)} copied, ${count('blob', true)} there already`);
  for (const tag of result.joinedTags) context.out(`  ${tag}: joined with what the target had`);
  for (const tag of result.replacedTags) {
    context.err(`warning: the tag ${quote(tag)} of the target pointed to something else before`);
  }
  for (const broken of result.broken) context.err(`warning: not copied: ${printable(broken)}`);
}
