/**
 * White space as Go has it (`unicode.IsSpace`), by which builders read Dockerfiles: with U+0085, and
 * without U+FEFF, in both of which JavaScript's own differs. What only one of two readers takes for
 * space hides the line behind it from the other.
 */
const SPACE =
  '\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const LEADING = new RegExp(`^[${SPACE}]+`);
const TRAILING = new RegExp(`[${SPACE}]+$`);
const ONE = new RegExp(`^[${SPACE}]$`);

/** `text` without the white space around it. */
export function trimSpace(text: string): string {
  return trimSpaceBefore(text).replace(TRAILING, '');
}

/** `text` without the white space before it. */
export function trimSpaceBefore(text: string): string {
  return text.replace(LEADING, '');
}

/** Whether one character is white space. */
export function isSpace(character: string): boolean {
  return ONE.test(character);
}
