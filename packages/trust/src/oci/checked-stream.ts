import { createHash } from 'node:crypto';
import { quote, TrustFault } from '../fault/fault.ts';
import type { Descriptor } from './descriptor.ts';

/**
 * `chunks` passed on as they come; the last step throws `registry.digest-mismatch` unless they have
 * the descriptor's size and digest. Stops as soon as there are too many bytes.
 */
export async function* checkedStream(
  chunks: AsyncIterable<Uint8Array>,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  where: string,
): AsyncGenerator<Uint8Array> {
  const algorithm = descriptor.digest.startsWith('sha512:') ? 'sha512' : 'sha256';
  const state = createHash(algorithm);
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > descriptor.size) {
      throw new TrustFault(
        'registry.digest-mismatch',
        `expected ${descriptor.size} bytes of ${descriptor.digest} in ${quote(where)}, found more`,
      );
    }
    state.update(chunk);
    yield chunk;
  }
  const found = `${algorithm}:${state.digest('hex')}`;
  if (size !== descriptor.size || found !== descriptor.digest) {
    throw mismatch(
      where,
      `${descriptor.digest} of ${descriptor.size} bytes`,
      `${found} of ${size}`,
    );
  }
}

function mismatch(where: string, expected: string, found: string): TrustFault {
  return new TrustFault(
    'registry.digest-mismatch',
    `expected ${expected} in ${quote(where)}, found content of digest ${found}`,
  );
}
