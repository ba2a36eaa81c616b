import { StringDecoder } from 'node:string_decoder';

/** No line that Bulla writes comes near; a file without line breaks must not fill the memory. */
const LINE_LONGEST = 8 << 20;

/**
 * The lines of a text that comes in chunks, without their line feeds; a last line needs none. Only a
 * line feed ends a line: an entry may hold U+2028, at which other readers cut. A line that is too
 * long comes in pieces, which then are no entries.
 */
export async function* linesOfChunks(
  chunks: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk));
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > LINE_LONGEST) {
      yield rest;
      rest = '';
    }
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
}
