import type { Code } from '@bulla/trust/fault/codes';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { HttpRequest } from './exchange.ts';

/** The whole body. Throws a fault of `code` as soon as it is known to pass `maxBytes`. */
export async function readBody(
  request: HttpRequest,
  maxBytes: number,
  code: Code = 'http.body-too-large',
): Promise<Uint8Array> {
  const tooLarge = () => new TrustFault(code, `expected a body of at most ${maxBytes} bytes`);
  if ((request.contentLength ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body()) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
