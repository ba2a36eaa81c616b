import { plainValue } from '../../../../bytes/yaml/node.ts';
import type { YamlCursor } from '../../../../bytes/yaml/read.ts';

/** A value of any shape, as plain JSON within: null for one that is null. */
export function anything(at: YamlCursor): { readonly value: unknown } | null {
  return at.node === undefined ? null : { value: plainValue(at.node) };
}
