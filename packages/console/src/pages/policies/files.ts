import type { PoliciesAnswer } from '../../api/policies.ts';

type PolicyFile = PoliciesAnswer['files'][number];

/**
 * The files that say the policy's name as a `name`. All of them when none does: a name may be written
 * in a way that only a YAML reader understands.
 */
export function filesOf(name: string, files: readonly PolicyFile[]): readonly PolicyFile[] {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const says = new RegExp(`["']?\\bname["']?\\s*:\\s*["']?${escaped}["']?\\s*(?:[,}#]|$)`, 'm');
  const named = files.filter(({ text }) => says.test(text));
  return named.length === 0 ? files : named;
}
