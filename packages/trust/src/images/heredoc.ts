import { quote, TrustFault } from '../fault/fault.ts';
import { isSpace } from './white-space.ts';

/** A here-document that an instruction opens: the line that ends it, and whether tabs may precede. */
export interface Heredoc {
  readonly name: string;
  readonly chomps: boolean;
}

/** Variables in the simple forms, which hold no space and no quote. */
const PLAIN_VARIABLE = /\$\{[A-Za-z_][A-Za-z0-9_]*(?::?[-+?][A-Za-z0-9_./:-]*)?\}/g;

/**
 * The here-documents of an instruction, in their order: words `<<NAME` that stand outside of quotes.
 * `<< NAME`, `<<<` and a shift within a word open none. Throws `images.dockerfile-malformed` where
 * that cannot be told, because then nobody can say where the instruction ends.
 */
export function readHeredocs(text: string, line: number): readonly Heredoc[] {
  if (!text.includes('<<')) return [];
  const unclear = (found: string) =>
    new TrustFault(
      'images.dockerfile-malformed',
      `expected a here-document as <<NAME at line ${line}, found ${quote(found)}`,
    );
  if (text.replace(PLAIN_VARIABLE, '').includes('${')) throw unclear(text);
  const words = shellWords(text);
  if (words === null) throw unclear(text);
  return words.flatMap((word) => {
    const [, dash, rest] = /^\d*<<(-?)([^<]+)$/.exec(word) ?? [];
    if (rest === undefined) return [];
    const [, , name] = /^(["']?)([A-Za-z0-9_][A-Za-z0-9_.-]*)\1$/.exec(rest) ?? [];
    if (name === undefined) throw unclear(word);
    return [{ name, chomps: dash === '-' }];
  });
}

/** The words of a shell's line with their quotes; null when a quote is not closed. */
function shellWords(text: string): readonly string[] | null {
  const words: string[] = [];
  let word = '';
  let open: '"' | "'" | null = null;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '\\' && open !== "'") {
      word += character + (text[++at] ?? '');
    } else if (open !== null) {
      word += character;
      if (character === open) open = null;
    } else if (isSpace(character)) {
      if (word !== '') words.push(word);
      word = '';
    } else {
      word += character;
      if (character === '"' || character === "'") open = character;
    }
  }
  if (word !== '') words.push(word);
  return open === null ? words : null;
}
