/**
 * The JSON text of a document for a terminal or a pipe: control, format and separator characters
 * that `JSON.stringify` leaves as they are (U+009B begins an escape on many terminals) are escaped.
 */
export function jsonText(document: unknown): string {
  return JSON.stringify(document, null, 2).replace(
    /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) =>
      Array.from(
        { length: character.length },
        (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
      ).join(''),
  );
}
