import { ANY, NOT_SLASH } from './char-set.ts';
import type { PatternNode } from './syntax.ts';

/**
 * A glob: `*` stands for any characters but `/`, `**` for any at all, everything else for itself
 * (semantics 7). There is no escape and no other sign, so `?` and `[` are characters.
 */
export function parseGlob(text: string): PatternNode {
  const items = text.split(/(\*+)/u).flatMap((part): readonly PatternNode[] => {
    if (part === '*') return [anyOf(NOT_SLASH)];
    if (part.startsWith('**')) return [anyOf(ANY)];
    return [...part].map(literal);
  });
  return { kind: 'sequence', items };
}

function anyOf(set: readonly number[]): PatternNode {
  return { kind: 'repeat', item: { kind: 'set', set }, least: 0, most: null };
}

function literal(character: string): PatternNode {
  const point = character.codePointAt(0) ?? 0;
  return { kind: 'set', set: [point, point] };
}
