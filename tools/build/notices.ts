import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest } from '../manifest.ts';

/**
 * The licence texts of every package that `inputs` (paths from the root, as esbuild's metafile has
 * them) come from, as one text in the order of names. MIT, BSD, ISC and Apache-2.0 all ask that a
 * copy carries them. Throws when a bundled package ships no licence text and is not known here.
 */
export function thirdPartyNotices(root: string, inputs: readonly string[]): string {
  const folders = new Set(inputs.flatMap((path) => packageFolder(path) ?? []));
  const notices = [...folders].sort().map((folder) => {
    const { name, version, licence } = readManifest(join(root, folder));
    return `${name} ${version} (${licence})\n\n${licenceText(join(root, folder), name)}`;
  });
  return [
    'Bulla is built with the following packages; their licences follow.\n',
    ...notices.map((notice) => `${'-'.repeat(80)}\n${notice}`),
  ].join('\n');
}

function packageFolder(path: string): string | null {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? null;
}

function licenceText(folder: string, name: string): string {
  const found = globSync('{LICENSE,LICENCE,License,license,NOTICE}{,.md,.txt,-MIT}', {
    cwd: folder,
  }).sort();
  if (found.length === 0) {
    throw new Error(`${name} ships no licence text: see tools/build/notices.ts`);
  }
  return `${found.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n')}\n`;
}
