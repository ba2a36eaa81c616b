import { Lexer } from 'yaml';

/** By this token the lexer announces that the next one is a value, whatever it looks like. */
const SCALAR = '\u001f';
/** Tokens of the lexer that are no text of the file. */
const MARKS: readonly string[] = ['\u0002', '\u0018', SCALAR];

/** `[ a, b ]` of one line as `[a, b]`; braces keep their spaces, values and comments all of theirs. */
export function tightenLists(text: string): string {
  const kept: string[] = [];
  let isValue = false;
  let opened = false;
  for (const token of new Lexer().lex(text)) {
    const isSpace = !isValue && /^ +$/.test(token);
    if (!isValue && token === ']') dropSpace(kept);
    if (!MARKS.includes(token) && !(opened && isSpace)) kept.push(token);
    opened = !isValue && token === '[';
    isValue = token === SCALAR;
  }
  return kept.join('');
}

/** Drops the space before a bracket, unless it is the indentation of its line. */
function dropSpace(kept: string[]): void {
  const isIndentation = kept.at(-2)?.endsWith('\n') ?? true;
  if (/^ +$/.test(kept.at(-1) ?? '') && !isIndentation) kept.pop();
}
