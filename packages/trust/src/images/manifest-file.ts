import { LineCounter, parseAllDocuments } from 'yaml';
import { quote, TrustFault } from '../fault/fault.ts';
import { composeImages, isCompose } from './compose.ts';
import { objectImages } from './kubernetes.ts';
import type { NamedImages } from './named-image.ts';
import type { Variables } from './variables.ts';

const MAX_BYTES = 16 << 20;
/** Compose files use aliases; a bomb of them does not get past this. */
const MAX_ALIASES = 1000;

/**
 * Every image of a Kubernetes or Compose file (YAML or JSON, several documents, Lists). `variables`
 * are those of Compose. Throws `images.manifest-malformed`, `images.variable-unset`.
 */
export function manifestImages(text: string, file: string, variables: Variables): NamedImages {
  if (text.length > MAX_BYTES) {
    throw malformed(file, 'at most 16 MiB', 'more');
  }
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    merge: true,
    lineCounter: lines,
    prettyErrors: false,
  });
  if (!Array.isArray(documents)) return { images: [], notes: [`${file} is empty`] };
  const found = documents.map((document) => {
    // What a tag makes of a value is known to the reader alone whose tag it is.
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0]);
      throw malformed(`${file}:${line}:${col}`, 'YAML', error.message);
    }
    const value = plain(() => document.toJS({ maxAliasCount: MAX_ALIASES }), file);
    if (value === null || value === undefined) return { images: [], notes: [] };
    return isCompose(value) ? composeImages(value, file, variables) : objectImages(value, file);
  });
  return {
    images: found.flatMap(({ images }) => images),
    notes: found.flatMap(({ notes }) => notes),
  };
}

function plain(read: () => unknown, file: string): unknown {
  try {
    return read();
  } catch (error) {
    // The library's own limit on aliases.
    throw malformed(file, 'YAML with few aliases', error instanceof Error ? error.message : '');
  }
}

function malformed(where: string, expected: string, found: string): TrustFault {
  return new TrustFault(
    'images.manifest-malformed',
    `expected ${expected} in ${where}, found ${quote(found)}`,
  );
}
