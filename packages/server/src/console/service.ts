import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { ConsoleConfig } from './config.ts';

/** An encoding that a form of a file is in (RFC 9110 §8.4.1), the best first. */
export type Encoding = 'br' | 'gzip' | 'identity';

/** One form of a file, with its strong entity tag. */
export interface FileForm {
  readonly encoding: Encoding;
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** A file of the console. */
export interface ConsoleFile {
  readonly contentType: string;
  /** True when the name holds the content's hash. */
  readonly immutable: boolean;
  readonly plain: FileForm;
  /** What the build compressed, the smallest first; empty for a file that does not gain by it. */
  readonly compressed: readonly FileForm[];
}

/** The console's files in memory. */
export interface Console {
  /** The page; null when the console was not built. */
  readonly page: ConsoleFile | null;
  /** Every other file by its path: `/assets/index-1a2b.js`, `/favicon.svg`. */
  readonly files: ReadonlyMap<string, ConsoleFile>;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};
const COMPRESSED = [
  { encoding: 'br', ending: '.br' },
  { encoding: 'gzip', ending: '.gz' },
] as const;

/**
 * Reads the console's files. A file whose type is not one that a page needs (a licence text) is not
 * served. When no folder holds a page the console is there without one, and its routes say so.
 */
export async function openConsole({ folders }: ConsoleConfig): Promise<Console> {
  for (const folder of folders) {
    const paths = await pathsBelow(folder);
    if (!paths.has('index.html')) continue;
    const files = new Map<string, ConsoleFile>();
    for (const path of paths) {
      const contentType = CONTENT_TYPES[extname(path)];
      if (contentType === undefined) continue;
      files.set(`/${path}`, await readForms(folder, path, paths, contentType));
    }
    const page = files.get('/index.html') ?? null;
    files.delete('/index.html');
    return { page, files };
  }
  return { page: null, files: new Map() };
}

async function pathsBelow(folder: string): Promise<ReadonlySet<string>> {
  try {
    const names = await readdir(folder, { recursive: true });
    return new Set(names.map((name) => name.replaceAll('\\', '/')));
  } catch {
    // No such folder: the next one may be there.
    return new Set();
  }
}

async function readForms(
  folder: string,
  path: string,
  paths: ReadonlySet<string>,
  contentType: string,
): Promise<ConsoleFile> {
  const read = async (encoding: Encoding, ending: string): Promise<FileForm> => {
    const bytes = await readFile(join(folder, `${path}${ending}`));
    return { encoding, bytes, etag: `"${hash('sha256', bytes).slice(0, 32)}"` };
  };
  const there = COMPRESSED.filter(({ ending }) => paths.has(`${path}${ending}`));
  return {
    contentType,
    immutable: path.startsWith('assets/'),
    plain: await read('identity', ''),
    compressed: await Promise.all(there.map(({ encoding, ending }) => read(encoding, ending))),
  };
}
