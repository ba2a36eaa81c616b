import { basename, dirname, join, normalize } from 'node:path/posix';
import {
  FORBIDDEN_NAMES,
  FUNCTION_LINES_MOST,
  LINES_MOST,
  PACKAGES,
  type PackageLayers,
  ROOM_FILES,
} from './layers.ts';
import { functionSizes, scan } from './scan.ts';

/** A file of the repository: its path from `packages/` (`trust/src/fault/fault.ts`) and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What the judgement found; `edges` counts imports that lead to another file of the workspace. */
export interface Judgement {
  readonly edges: number;
  readonly violations: readonly string[];
}

const IO_MODULES =
  /^(node:)?(fs|http|http2|https|net|tls|dns|dgram|os|process|child_process|worker_threads)(\/|$)/;

/** Judges every source file under `packages/*\/src` by the layers; order of `files` does not matter. */
export function judgeSources(files: readonly SourceFile[]): Judgement {
  const judged = files.filter(({ path }) => /\.tsx?$/.test(path)).map(judgeFile);
  return {
    edges: judged.reduce((sum, { edges }) => sum + edges, 0),
    violations: judged.flatMap(({ violations }) => violations),
  };
}

function judgeFile({ path, text }: SourceFile): Judgement {
  const place = placeOf(path);
  if (place === null) return { edges: 0, violations: [`${path}: in no layer of layers.ts`] };
  const facts = scan(path, text);
  const violations: string[] = [];
  const targets = facts.imports.map((specifier) => targetOf(path, specifier));
  for (const target of targets) {
    if (target !== null) violations.push(...judgeEdge(place, target));
  }
  if (place.layers.typesOnly === true) {
    const values = facts.valueImports.filter((name) => isOtherPackage(place, targetOf(path, name)));
    violations.push(...values.map((name) => `imports more than types from ${name}`));
  }
  if (facts.opaqueImports > 0) violations.push('imports what is not a literal');
  if (facts.defaultExport) violations.push('has a default export');
  if (facts.starExport) violations.push('has an `export *`');
  if (!place.layers.io.test(place.inner)) {
    const io = [...facts.imports.filter((name) => IO_MODULES.test(name)), ...facts.ambient];
    violations.push(...io.map((name) => `uses ${name} outside the folders that do I/O`));
  }
  return {
    edges: targets.filter((target) => target !== null).length,
    violations: violations.map((what) => `${path}: ${what}`),
  };
}

/** Where a file stands: `pkg` and `inner` make up `pkg/src/inner`; `layer` is the key of its rank. */
interface Place {
  readonly path: string;
  readonly pkg: string;
  readonly inner: string;
  readonly layers: PackageLayers;
  readonly layer: string;
  readonly rank: number;
}

function placeOf(path: string): Place | null {
  const [pkg = '', src, ...rest] = path.split('/');
  const layers = layersOf(pkg);
  const layer = rest[0];
  const rank = layer === undefined ? undefined : layers?.ranks[layer];
  if (src !== 'src' || layers === null || layer === undefined || rank === undefined) return null;
  return { path, pkg, inner: rest.join('/'), layers, layer, rank };
}

function layersOf(pkg: string): PackageLayers | null {
  const all: Readonly<Record<string, PackageLayers>> = PACKAGES;
  return all[pkg] ?? null;
}

/** The workspace file that a specifier leads to, as a path from `packages/`; null for all others. */
function targetOf(from: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return normalize(join(dirname(from), specifier));
  const own = /^@bulla\/([^/]+)\/(.+)$/.exec(specifier);
  return own === null ? null : `${own[1]}/src/${own[2]}.ts`;
}

function isOtherPackage({ pkg }: Place, target: string | null): boolean {
  return target !== null && !target.startsWith(`${pkg}/`);
}

function judgeEdge(from: Place, target: string): string[] {
  // Data files and package.json beside the source have no layer.
  if (!/\.tsx?$/.test(target)) return [];
  const to = placeOf(target);
  if (to === null) return [`imports ${target}, which is in no layer`];
  if (to.pkg !== from.pkg) {
    const allowed = from.layers.imports[to.pkg];
    return allowed?.test(from.inner) === true ? [] : [`may not import package ${to.pkg}`];
  }
  if (to.layer !== from.layer && to.rank >= from.rank) {
    return [`(rank ${from.rank}) imports ${to.inner} (rank ${to.rank})`];
  }
  const here = roomOf(from);
  const there = roomOf(to);
  const crosses = here !== null && there !== null && here !== there;
  return crosses && dirname(here) === dirname(there) ? [`room ${here} imports room ${there}`] : [];
}

/** The room that a file lies in (`formats/notation`), or null when it lies in none. */
function roomOf(place: Place): string | null {
  for (const kind of place.layers.roomsIn) {
    const rest = place.inner.startsWith(`${kind}/`) ? place.inner.slice(kind.length + 1) : '';
    if (rest.includes('/')) return `${kind}/${rest.split('/')[0]}`;
  }
  return null;
}

/** The files that rooms lack; `paths` are all files from `packages/`, Markdown included. */
export function judgeRooms(paths: readonly string[]): readonly string[] {
  const present = new Set(paths);
  const folders = new Set(paths.map((path) => dirname(path)));
  return [...folders]
    .sort()
    .flatMap((folder) =>
      ROOM_FILES.filter(({ rooms }) => rooms.test(folder)).flatMap(({ kind, files }) =>
        files
          .filter((file) => !present.has(`${folder}/${file}`))
          .map((file) => `${folder}: a ${kind} room has ${file}`),
      ),
    );
}

/** Names that say nothing, and files that are too long; `path` is of any root. */
export function judgeShape({ path, text }: SourceFile): readonly string[] {
  const names = [...dirname(path).split('/'), basename(path).split('.')[0] ?? ''];
  const empty = names.filter((name) => FORBIDDEN_NAMES.has(name));
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return [
    ...empty.map((name) => `${path}: the name ${name} says nothing`),
    ...(lines > LINES_MOST ? [`${path}: ${lines} lines, and ${LINES_MOST} are the most`] : []),
  ];
}

/** Functions that are too long; for sources, not for tests, whose tables may be. */
export function judgeFunctions({ path, text }: SourceFile): readonly string[] {
  return functionSizes(path, text)
    .filter(({ lines }) => lines > FUNCTION_LINES_MOST)
    .map(({ line, lines }) => `${path}:${line}: a function of ${lines} lines`);
}
