import type { Code } from '@bulla/trust/fault/codes';
import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import { readFileBounded } from './files.ts';

/** A file that the user named, and how it is read. */
export interface NamedFile {
  readonly path: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * What a file that the user named says, as `parse` reads it. Whatever is wrong inside of it is wrong
 * use: the fault becomes `code`, whose exit is 2, with its cause and its message kept.
 */
export async function readNamedFile<T>(
  { path, maxBytes, signal }: NamedFile,
  code: Code,
  parse: (bytes: Uint8Array) => T,
): Promise<T> {
  const bytes = await readFileBounded(path, maxBytes, signal);
  try {
    return parse(bytes);
  } catch (error) {
    const cause = asFault(error);
    if (cause.code === 'internal.defect') throw cause;
    throw new TrustFault(code, cause.message, undefined, { cause });
  }
}
