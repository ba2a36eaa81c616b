import { randomUUID } from 'node:crypto';
import { open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { quote, systemReason, TrustFault } from '@bulla/trust/fault/fault';
import { unlessInterrupted } from '../output/interrupt.ts';

/** Standard input has one end: who reads it a second time would read nothing. */
let isStdinTaken = false;

/**
 * The bytes of a file of at most `maxBytes`; `-` is standard input, once. Throws `usage.file`,
 * `usage.invalid` and, when `signal` ends the wait for a terminal or a pipe, `usage.interrupted`.
 */
export async function readFileBounded(
  path: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  try {
    return await unlessInterrupted(read(path, maxBytes), signal);
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    throw new TrustFault(
      'usage.file',
      `cannot read ${quote(path)}: ${systemReason(cause)}`,
      undefined,
      {
        cause,
      },
    );
  }
}

async function read(path: string, maxBytes: number): Promise<Uint8Array> {
  if (path !== '-') {
    await using file = await open(path, 'r');
    return await readStream(file.createReadStream({ autoClose: false }), maxBytes, path);
  }
  if (isStdinTaken) {
    throw new TrustFault(
      'usage.invalid',
      'standard input cannot be two things at once',
      'Give - once, and a file for the other.',
    );
  }
  isStdinTaken = true;
  return readStream(process.stdin, maxBytes, 'standard input');
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

type Content = Uint8Array | string | AsyncIterable<Uint8Array>;

/**
 * Writes a file, whole or not at all: a full disk leaves what was there before. A link is followed,
 * and a pipe or a device is written to as it is. Throws `usage.file`.
 */
export async function writeOutput(path: string, bytes: Content): Promise<void> {
  try {
    const before = await stat(path).catch(() => null);
    if (before === null || before.isFile()) await replaceFile(path, bytes, before?.mode);
    else await writeFile(path, bytes);
  } catch (cause) {
    throw new TrustFault(
      'usage.file',
      `cannot write ${quote(path)}: ${systemReason(cause)}`,
      undefined,
      {
        cause,
      },
    );
  }
}

/** As `writeOutput`, of content that comes in parts; what its source throws is thrown as it is. */
export async function writeStream(path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
  let failure: unknown = null;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* parts;
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  try {
    await writeOutput(path, watched());
  } catch (error) {
    throw failure ?? error;
  }
}

async function replaceFile(path: string, bytes: Content, mode: number | undefined): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const temporary = join(dirname(target), `.bulla-${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      if (mode !== undefined) await file.chmod(mode & 0o777);
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
