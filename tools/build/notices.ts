import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { licenceIsAllowed } from '../licences/allowed.ts';
import { readManifest } from '../manifest.ts';

/**
 * The licence texts of every package that `inputs` (paths from the root, as esbuild's metafile has
 * them) come from, as one text in the order of names. MIT, BSD, ISC and Apache-2.0 all ask that a
 * copy carries them. Throws when a bundled package ships no licence text, states none in its files,
 * and is not under MIT by a named author; and when its licence does not allow to ship it.
 */
export function thirdPartyNotices(root: string, inputs: readonly string[]): string {
  const packages = Map.groupBy(inputs, packageFolder);
  const notices = [...packages].flatMap(([folder, files]) => {
    if (folder === null) return [];
    const { name, version, licence, author } = readManifest(join(root, folder));
    if (!licenceIsAllowed(licence)) throw new Error(`${name} is bundled, and is under ${licence}`);
    const texts = licenceFiles(join(root, folder));
    // Some packages state their licence only at the head of each file.
    if (texts.length === 0) texts.push(...headers(files.map((file) => join(root, file))));
    if (texts.length === 0 && licence === 'MIT' && author !== '') texts.push(mitText(author));
    if (texts.length === 0) throw new Error(`${name} ships no licence text`);
    return [`${name} ${version} (${licence})\n\n${texts.join('\n\n')}\n`];
  });
  return [HEAD, ...notices.sort()].join(`\n${'-'.repeat(80)}\n`);
}

const HEAD = `Bulla is built with the following packages; their licences follow. The text of Apache-2.0, where a
package only names it, is that of the file LICENSE beside this one.
`;

function packageFolder(path: string): string | null {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? null;
}

function licenceFiles(folder: string): string[] {
  const pattern = '{LICENSE,LICENCE,License,license,NOTICE}{,.md,.txt,-MIT}';
  return globSync(pattern, { cwd: folder })
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
}

/** The different comments with a copyright line that `files` begin with. */
function headers(files: readonly string[]): ReadonlySet<string> {
  const heads = files.map((file) => /^(?:\/\/.*\n)+/.exec(readFileSync(file, 'utf8'))?.[0] ?? '');
  return new Set(
    heads
      .filter((head) => head.includes('Copyright'))
      .map((head) => head.replace(/^\/\/ ?/gm, '').trim()),
  );
}

/** The MIT licence as SPDX has it, for a package that names it and its author and ships no text. */
function mitText(author: string): string {
  return `Copyright (c) ${author}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT.
IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION
WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
}
