import { TrustFault } from '@bulla/trust/fault/fault';
import type { HttpRequest } from './exchange.ts';

/** The whole body. Throws `http.body-too-large` as soon as it is known to pass `maxBytes`. */
export async function readBody(request: HttpRequest, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new TrustFault('http.body-too-large', `expected a body of at most ${maxBytes} bytes`);
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
