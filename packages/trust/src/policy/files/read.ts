import { constants, type Stats } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseYamlDocuments } from '../../bytes/yaml/parse.ts';
import { hasErrors, type Problem, problemAt } from '../../bytes/yaml/problem.ts';
import type { Code } from '../../fault/codes.ts';
import { asFault, quote, systemReason, TrustFault } from '../../fault/fault.ts';

/** More than anyone reads in one folder. */
const MAX_FILES = 1000;
const MAX_TEST_BYTES = 1 << 20;

/** The policy files under the given paths, and what of them cannot be looked at. */
export interface PolicyFiles {
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * The files of `paths`, each once: a file stands for itself, a folder for its `*.yaml`, `*.yml` and
 * `*.json`, sorted, without hidden files, folders within, and tests of policies. A path that is gone
 * is a problem (`policy.unreadable`), never a smaller list.
 */
export async function findPolicyFiles(paths: readonly string[]): Promise<PolicyFiles> {
  const files: string[] = [];
  const problems: Problem[] = [];
  for (const path of paths) {
    try {
      const found = (await stat(path)).isDirectory() ? await filesIn(path) : [path];
      files.push(...found.filter((file) => !files.includes(file)));
    } catch (cause) {
      problems.push(unreadable(path, `cannot read ${quote(path)}: ${systemReason(cause)}`));
    }
  }
  if (files.length <= MAX_FILES) return { files, problems };
  const message = `expected at most ${MAX_FILES} policy files, found ${files.length}`;
  return { files: [], problems: [...problems, unreadable(files[0] ?? '', message)] };
}

function unreadable(file: string, message: string): Problem {
  return problemAt({ file, line: 1, column: 1, path: '' }, 'policy.unreadable', message);
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries
    // Also a folder of such a name: what was to be a policy must not be passed over without a word.
    .filter((entry) => /^[^.].*\.(?:yaml|yml|json)$/is.test(entry.name))
    .map(({ name }) => join(folder, name))
    .sort();
  const tests = await Promise.all(files.map(isPolicyTest));
  return files.filter((_, at) => tests[at] !== true);
}

/**
 * Whether a file is one of tests (`policy test`) by its name and by what it says: a policy that lies
 * in a file of such a name is a policy, and what cannot be read is not passed over.
 */
async function isPolicyTest(file: string): Promise<boolean> {
  if (!/\.test\.(yaml|yml|json)$/.test(file)) return false;
  try {
    const bytes = await readRegularFile(file, MAX_TEST_BYTES, 'policy.unreadable');
    const { documents, problems } = parseYamlDocuments(bytes, file, 'policy.malformed');
    const keys = documents.map((node) => (node.kind === 'map' ? node.entries : []));
    const isTest = keys.every((entries) => {
      const names = new Set(entries.map(({ key }) => key));
      return names.has('cases') && !names.has('kind') && !names.has('spec');
    });
    return !hasErrors(problems) && documents.length > 0 && isTest;
  } catch (error) {
    const { code } = asFault(error);
    if (code === 'internal.defect') throw error;
    return false;
  }
}

/**
 * The bytes of a regular file of at most `maxBytes`, or of what a link leads to. Throws `gone` when
 * it cannot be read, and `policy.file` when it is a pipe or a device, is too large, or changes while
 * it is read: half of a file must not be taken for the whole.
 */
export async function readRegularFile(
  path: string,
  maxBytes: number,
  gone: Code,
): Promise<Uint8Array> {
  try {
    // Without waiting: opening a pipe would wait for its writer.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const before = await file.stat();
    if (!before.isFile()) throw new TrustFault('policy.file', `${quote(path)} is no regular file`);
    if (before.size > maxBytes) {
      const message = `expected at most ${maxBytes} bytes in ${quote(path)}, found ${before.size}`;
      throw new TrustFault('policy.file', message);
    }
    const bytes = new Uint8Array(before.size + 1);
    let size = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, size, bytes.length - size);
      size += bytesRead;
      if (bytesRead === 0 || size === bytes.length) break;
    }
    if (size !== before.size || !isUnchanged(before, await file.stat())) {
      throw new TrustFault('policy.file', `${quote(path)} changed while it was read`);
    }
    return bytes.subarray(0, size);
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    throw new TrustFault(gone, `cannot read ${quote(path)}: ${systemReason(cause)}`, undefined, {
      cause,
    });
  }
}

function isUnchanged(before: Stats, after: Stats): boolean {
  return before.size === after.size && before.mtimeMs === after.mtimeMs;
}
