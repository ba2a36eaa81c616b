import { LineCounter, parseAllDocuments } from 'yaml';
import { quote, TrustFault } from '../fault/fault.ts';
import { findAmbiguous } from './ambiguous.ts';
import { composeImages, isCompose } from './compose.ts';
import { objectImages } from './kubernetes.ts';
import type { NamedImages } from './named-image.ts';
import type { Variables } from './variables.ts';

const MAX_BYTES = 16 << 20;
/** Compose files use aliases; a bomb of them does not get past this. */
const MAX_ALIASES = 1000;

/**
 * What readers of YAML 1.1, such as kubectl and Compose, take for the end of a line, and others for a
 * part of a comment; the mark of an encoding within a file, of which each document may have one; and
 * what stands in place of bytes that are not UTF-8, for which UTF-16 may be read.
 */
const READ_DIFFERENTLY = /\r(?!\n)|[\0\u0085\u2028\u2029\uFEFF\uFFFD]/;

/**
 * Every image of a Kubernetes or Compose file (YAML or JSON, several documents, Lists). `variables`
 * are those of Compose. Throws `images.manifest-malformed`, also for what kubectl and Compose read
 * differently than YAML has it, and `images.variable-unset`.
 */
export function manifestImages(text: string, file: string, variables: Variables): NamedImages {
  if (text.length > MAX_BYTES) {
    throw malformed(file, 'at most 16 MiB', 'more');
  }
  const strange = READ_DIFFERENTLY.exec(text.replace(/^\uFEFF/, ' '));
  if (strange !== null) {
    const line = text.slice(0, strange.index).split('\n').length;
    throw malformed(
      `${file}:${line}`,
      'lines of UTF-8 that all readers end alike',
      nameOf(strange[0]),
    );
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
    if (isCompose(value)) return composeImages(value, file, variables);
    const ambiguous = findAmbiguous(document);
    if (ambiguous !== null) {
      const { line, col } = lines.linePos(ambiguous.offset);
      throw malformed(`${file}:${line}:${col}`, ambiguous.expected, ambiguous.found);
    }
    return objectImages(value, file);
  });
  return {
    images: found.flatMap(({ images }) => images),
    notes: found.flatMap(({ notes }) => notes),
  };
}

function nameOf(character: string): string {
  return `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
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
