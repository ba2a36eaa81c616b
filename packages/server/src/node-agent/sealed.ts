import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { quote, systemReason, TrustFault } from '@bulla/trust/fault/fault';
import { isOurs, requireOwnFolder } from './folder.ts';

/**
 * Files of one folder, each with a MAC over its name and content by a key that lies beside them. What
 * belongs to somebody else, is writable for others, was damaged, half written, renamed, or comes from
 * the folder of another node is not read.
 */
export interface SealedFolder {
  /** Names of the files, as far as `most` goes; more of them, and halves, are removed. */
  names(most: number): Promise<readonly string[]>;
  /** The content; null where there is none. Throws `node.cache-invalid` for what must not be used. */
  read(name: string): Promise<Uint8Array | null>;
  /** Writes whole or not at all: a process that is killed leaves the old content or the new one. */
  write(name: string, content: Uint8Array): Promise<void>;
  /** Removes it; nothing where there is none. */
  remove(name: string): Promise<void>;
}

const KEY_FILE = 'seal.key';
const KEY_BYTES = 32;
const TEMPORARY = /^[0-9a-f]{16}\.tmp$/;
const NAME = /^[a-z0-9][a-z0-9-]{0,127}\.sealed$/;
const FILE_MOST_BYTES = 4 << 20;
const MAC_BYTES = 32;
const OTHERS = 0o077;

/** The sealed files of a folder, made where it is missing. Throws `node.folder-unsafe`. */
export async function openSealedFolder(path: string): Promise<SealedFolder> {
  await requireOwnFolder(path);
  const key = await readKey(path);
  const macOf = (name: string, content: Uint8Array) =>
    createHmac('sha256', key).update(`${name}\0`).update(content).digest();
  return {
    async names(most) {
      const names: string[] = [];
      for (const name of await readdir(path)) {
        if (NAME.test(name) && names.length < most) names.push(name);
        // Left by a process that was killed while it wrote, or more than are wanted.
        else if (NAME.test(name) || TEMPORARY.test(name)) await removeFile(join(path, name));
      }
      return names;
    },
    async read(name) {
      const bytes = await readOwn(join(path, name), FILE_MOST_BYTES);
      if (bytes === null) return null;
      const content = bytes.subarray(MAC_BYTES);
      const mac = bytes.subarray(0, MAC_BYTES);
      if (mac.length === MAC_BYTES && timingSafeEqual(mac, macOf(name, content))) return content;
      throw new TrustFault('node.cache-invalid', `${quote(name)} is not what this node wrote`);
    },
    async write(name, content) {
      const temporary = join(path, `${randomBytes(8).toString('hex')}.tmp`);
      try {
        await writeNew(temporary, Buffer.concat([macOf(name, content), content]));
        // Not synced: after a crash of the machine the MAC tells a torn file.
        await rename(temporary, join(path, name));
      } catch (cause) {
        await removeFile(temporary);
        throw cannot('write', name, cause);
      }
    },
    remove: (name) => removeFile(join(path, name)),
  };
}

/** The key, made anew where there is none that can be used: what it sealed is then not read. */
async function readKey(folder: string): Promise<Uint8Array> {
  const path = join(folder, KEY_FILE);
  try {
    const known = await readOwn(path, KEY_BYTES);
    if (known?.length === KEY_BYTES) return known;
  } catch (error) {
    if (!(error instanceof TrustFault)) throw error;
  }
  const fresh = randomBytes(KEY_BYTES);
  try {
    await removeFile(path);
    await writeNew(path, fresh);
  } catch (cause) {
    const says = `cannot write to ${quote(folder)}: ${systemReason(cause)}`;
    throw new TrustFault('node.folder-unsafe', says, undefined, { cause });
  }
  return fresh;
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

/** A file that nobody but this user can write or read; null where there is none. */
async function readOwn(path: string, mostBytes: number): Promise<Uint8Array | null> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    if (systemReason(cause) === 'ENOENT') return null;
    throw cannot('read', path, cause);
  }
  try {
    const found = await file.stat();
    const isSound =
      found.isFile() && isOurs(found) && (found.mode & OTHERS) === 0 && found.nlink === 1;
    if (!isSound || found.size > mostBytes) {
      const says = `${quote(path)} is not a file that this node alone can write`;
      throw new TrustFault('node.cache-invalid', says);
    }
    return await file.readFile();
  } catch (cause) {
    throw cause instanceof TrustFault ? cause : cannot('read', path, cause);
  } finally {
    await file.close();
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    if (systemReason(cause) !== 'ENOENT') throw cannot('remove', path, cause);
  }
}

function cannot(what: string, path: string, cause: unknown): TrustFault {
  const says = `cannot ${what} ${quote(path)}: ${systemReason(cause)}`;
  return new TrustFault('node.cache-invalid', says, undefined, { cause });
}
