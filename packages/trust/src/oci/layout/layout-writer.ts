import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { utf8 } from '../../bytes/byte-string.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import { checkedStream } from '../checked-stream.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { MEDIA_TYPES } from '../manifest.ts';
import { isSystemError, systemReason } from '../system-error.ts';
import { blobName, type LayoutContent } from './content.ts';
import type { NextEntries } from './layout-entries.ts';
import { type LayoutIndex, readLayoutIndex } from './layout-index.ts';

const LOCK_TRIES = 400;
const LOCK_WAIT_MS = 25;

/** Makes an empty layout at `path`; one that is there stays as it is. */
export async function createLayout(path: string): Promise<void> {
  await makeFolder(join(path, 'blobs', 'sha256'));
  await createFile(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const empty = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] };
  await createFile(join(path, 'index.json'), JSON.stringify(empty));
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** False when the file is there already; one that cannot be written whole is not left behind. */
async function createFile(path: string, text: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, 'wx');
  } catch (cause) {
    if (isSystemError(cause, 'EEXIST')) return false;
    throw unwritable(path, cause);
  }
  try {
    await file.writeFile(text);
    return true;
  } catch (cause) {
    await rm(path, { force: true });
    throw unwritable(path, cause);
  } finally {
    await file.close();
  }
}

/**
 * Writes content under its digest: temporary file, check of size and digest, fsync, rename. Throws
 * `registry.digest-mismatch`, and then nothing is left behind.
 */
export async function writeContent(
  layout: string,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  content: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const chunks = content instanceof Uint8Array ? one(content) : content;
  const name = join(layout, blobName(descriptor.digest));
  await makeFolder(dirname(name));
  await replaceFile(name, checkedStream(chunks, descriptor, layout));
}

/** Removes the content of a digest. */
export async function removeFile(layout: string, digest: Digest): Promise<void> {
  await rm(join(layout, blobName(digest)), { force: true });
}

/**
 * Replaces index.json by what `change` makes of its entries, under a lock file: of several
 * processes one writes at a time. Waits ten seconds at most, then throws `layout.locked`.
 */
export async function updateIndex(
  content: LayoutContent,
  change: (index: LayoutIndex) => NextEntries,
): Promise<void> {
  const lock = join(content.path, 'index.json.lock');
  await takeLock(lock);
  try {
    const index = await readLayoutIndex(content);
    const manifests = change(index);
    if (manifests === undefined) return;
    const text = JSON.stringify({ ...index.document, manifests }, null, 2);
    await replaceFile(join(content.path, 'index.json'), one(utf8(`${text}\n`)));
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(lock: string): Promise<void> {
  for (let attempt = 0; attempt < LOCK_TRIES; attempt++) {
    if (await createFile(lock, String(process.pid))) return;
    await sleep(LOCK_WAIT_MS);
  }
  // A lock is never broken by force: two writers could then lose each other's entries.
  throw new TrustFault('layout.locked', `${quote(lock)} is held by another process`);
}

async function replaceFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      for await (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause instanceof TrustFault ? cause : unwritable(path, cause);
  }
}

// A rename is durable only when its folder is (fsync(2), "Calling fsync() does not ensure …").
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function unwritable(path: string, cause: unknown): TrustFault {
  return new TrustFault(
    'usage.file',
    `cannot write ${quote(path)}: ${systemReason(cause)}`,
    undefined,
    { cause },
  );
}
