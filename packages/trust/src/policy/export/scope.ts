import type { Pattern } from '../pattern.ts';

/**
 * A pattern of images as a scope of containers-policy.json(5): a prefix of canonical names that ends
 * where a component does, empty for all. `whole`: the pattern is all below the scope. `repository`: it
 * is the scope itself, and nothing below. `part`: some of what is below, which no scope can say.
 */
export interface ExportScope {
  readonly scope: string;
  readonly extent: 'whole' | 'repository' | 'part';
}

/** The scope of a pattern; never smaller than the pattern. */
export function scopeOf(pattern: Pattern): ExportScope {
  if ('exact' in pattern) return { scope: pattern.exact, extent: 'repository' };
  if ('regex' in pattern) return { scope: '', extent: 'part' };
  const { glob } = pattern;
  if (!glob.includes('*')) return { scope: glob, extent: 'repository' };
  if (glob === '**') return { scope: '', extent: 'whole' };
  const above = glob.replace(/\/\*\*$/, '');
  if (above !== glob && !above.includes('*')) return { scope: above, extent: 'whole' };
  const literal = glob.slice(0, glob.indexOf('*'));
  return { scope: literal.slice(0, Math.max(0, literal.lastIndexOf('/'))), extent: 'part' };
}
