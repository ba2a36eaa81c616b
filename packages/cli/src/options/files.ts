import { open, writeFile } from 'node:fs/promises';
import { quote, TrustFault } from '@bulla/trust/fault/fault';

/** The bytes of a file of at most `maxBytes`. Throws `usage.file`. `-` is standard input. */
export async function readFileBounded(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    if (path === '-') return await readStream(process.stdin, maxBytes, 'standard input');
    await using file = await open(path, 'r');
    return await readStream(file.createReadStream({ autoClose: false }), maxBytes, path);
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    throw new TrustFault(
      'usage.file',
      `cannot read ${quote(path)}: ${reasonOf(cause)}`,
      undefined,
      {
        cause,
      },
    );
  }
}

async function readStream(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
  name: string,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.length;
    if (size > maxBytes) {
      throw new TrustFault('usage.file', `${quote(name)} is larger than ${maxBytes} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Writes a file. Throws `usage.file`. */
export async function writeOutput(path: string, bytes: Uint8Array | string): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (cause) {
    throw new TrustFault(
      'usage.file',
      `cannot write ${quote(path)}: ${reasonOf(cause)}`,
      undefined,
      {
        cause,
      },
    );
  }
}

function reasonOf(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'code' in cause
    ? String(cause.code)
    : 'unexpected error';
}
