import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { quote, TrustFault } from './fault/fault.ts';
import { COMPANIONS } from './formats/cosign-legacy/companions.ts';
import { type CopyEvent, copyArtifact } from './oci/copy.ts';
import { isDigest } from './oci/digest.ts';
import { folderContent } from './oci/layout/folder.ts';
import { REF_NAME } from './oci/layout/layout-index.ts';
import { openLayout } from './oci/layout/layout-store.ts';
import { updateIndex } from './oci/layout/layout-writer.ts';
import { tarContent } from './oci/layout/tar.ts';
import { MEDIA_TYPES } from './oci/manifest.ts';
import { canonicalName, type Reference } from './oci/reference.ts';
import type { ArtifactSource, ArtifactTarget, CallOptions } from './oci/store.ts';
import { isSystemError, systemReason } from './oci/system-error.ts';
import {
  buildParcelManifest,
  PARCEL_ANNOTATION,
  type ParcelContents,
  type ParcelImage,
  readParcelContents,
} from './parcel/contents.ts';
import { writeTar } from './parcel/tar-writer.ts';

/** What goes into a parcel and where it is written. */
export interface SaveOptions extends CallOptions {
  readonly images: readonly { readonly reference: Reference; readonly source: ArtifactSource }[];
  /** A new folder, or a new file whose name ends in `.tar`. */
  readonly output: string;
  readonly trustedRoot: { readonly bytes: Uint8Array; readonly mediaType: string } | null;
  /** Another repository that holds evidence of the images (cosign's `COSIGN_REPOSITORY`). */
  readonly evidence?: ArtifactSource;
  readonly onProgress?: (event: CopyEvent) => void;
}

/** What a parcel that was written holds. */
export interface SavedParcel {
  readonly images: readonly ParcelImage[];
  /** Entries of referrers lists that could not be read, one sentence each. */
  readonly broken: readonly string[];
}

/**
 * Writes an air-gap parcel: an OCI layout with each artifact, its children, and all that is attached
 * to them, the trust root when one is given, and the list of all this. It is built beside `output`
 * and takes its name when it is whole; the same content gives the same bytes. Throws `usage.file`
 * when something is at `output` already, `artifact.not-found`, `parcel.conflict`.
 */
export async function saveParcel(options: SaveOptions): Promise<SavedParcel> {
  const { output } = options;
  await mustBeNew(output);
  const folder = join(dirname(output), `.${basename(output)}.${randomUUID()}.partial`);
  try {
    await mkdir(folder, { recursive: true });
    const saved = await fill(folder, options);
    if (output.endsWith('.tar')) await pack(folder, output);
    else await rename(folder, output);
    return saved;
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    throw new TrustFault(
      'usage.file',
      `cannot write ${quote(output)}: ${systemReason(cause)}`,
      undefined,
      { cause },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function mustBeNew(output: string): Promise<void> {
  try {
    const found = await stat(output);
    if (found.isDirectory() && (await readdir(output)).length === 0) return;
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return;
    throw new TrustFault('usage.file', `cannot look at ${quote(output)}`, undefined, { cause });
  }
  throw new TrustFault(
    'usage.file',
    `there is something at ${quote(output)} already`,
    'Give the name of a new file or folder.',
  );
}

async function fill(folder: string, options: SaveOptions): Promise<SavedParcel> {
  const target = await openLayout(folder, { createLayout: true });
  const images: ParcelImage[] = [];
  const broken: string[] = [];
  for (const { reference, source } of options.images) {
    const image = await resolveImage(reference, source, options);
    const same = images.find(({ name }) => name === image.name);
    if (same !== undefined && same.digest !== image.digest) throw conflict(image.name);
    if (same !== undefined) continue;
    const result = await copyArtifact(source, image.digest, target, {
      ...callOf(options),
      tag: image.name,
      referrers: true,
      companions: COMPANIONS,
      ...(options.evidence === undefined ? {} : { evidence: options.evidence }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    });
    // A parcel has one companion tag for a digest, whichever repository it came from: signatures are
    // joined, and of two SBOMs neither is the parcel's to drop.
    const [replaced] = result.replacedTags;
    if (replaced !== undefined) throw conflict(replaced);
    broken.push(...result.broken);
    images.push(image);
  }
  await writeContents(folder, target, images, options.trustedRoot);
  return { images, broken };
}

async function resolveImage(
  reference: Reference,
  source: ArtifactSource,
  options: CallOptions,
): Promise<ParcelImage> {
  const wanted = reference.digest ?? reference.tag ?? (reference.kind === 'layout' ? '' : 'latest');
  const found = await source.resolve(wanted, callOf(options));
  if (found === null) {
    throw new TrustFault('artifact.not-found', `${source.name} has no ${quote(wanted)}`);
  }
  const { digest } = found;
  if (reference.kind === 'layout') {
    // `sha256-<hex>` would be the name of a fallback tag.
    return { name: reference.tag ?? `artifact-${digest.slice(-12)}`, digest };
  }
  const tag = reference.tag ?? (isDigest(wanted) ? undefined : wanted);
  const name = canonicalName(reference);
  return { name: tag === undefined ? `${name}@${digest}` : `${name}:${tag}`, digest };
}

async function writeContents(
  folder: string,
  target: ArtifactTarget,
  images: readonly ParcelImage[],
  trustedRoot: SaveOptions['trustedRoot'],
): Promise<void> {
  const { bytes, blobs } = buildParcelManifest(images, trustedRoot);
  for (const { bytes: content, ...descriptor } of blobs) await target.putBlob(descriptor, content);
  const digest = await target.putManifest({ bytes, mediaType: MEDIA_TYPES.ociManifest });
  await updateIndex(folderContent(folder), ({ entries }) =>
    entries
      .map((entry) =>
        entry.digest === digest ? { ...entry, annotations: { [PARCEL_ANNOTATION]: '1' } } : entry,
      )
      .toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
  );
}

/** One order of the entries, whatever order the sources listed them in. */
function sortKey(entry: {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}): string {
  return `${entry.annotations?.[REF_NAME] ?? '~'} ${entry.digest}`;
}

async function pack(folder: string, output: string): Promise<void> {
  const temporary = `${folder}.tar`;
  try {
    const archive = await open(temporary, 'wx');
    try {
      await writeTar(folder, archive);
      await archive.sync();
    } finally {
      await archive.close();
    }
    await rename(temporary, output);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A parcel that was opened for loading. */
export interface Parcel extends ParcelContents {
  readonly source: ArtifactSource;
}

/** The parcel at `path`, a folder or a tar archive. Throws `parcel.malformed` and `layout.*`. */
export async function openParcel(path: string): Promise<Parcel> {
  let isFile: boolean;
  try {
    isFile = (await stat(path)).isFile();
  } catch (cause) {
    throw new TrustFault('usage.file', `cannot read ${quote(path)}`, undefined, { cause });
  }
  const contents = await readParcelContents(isFile ? tarContent(path) : folderContent(path));
  return { ...contents, source: await openLayout(path) };
}

/** The trust root in a parcel. Throws `parcel.malformed` when it has none or lacks its content. */
export async function readTrustedRoot(parcel: Parcel): Promise<Uint8Array> {
  const { trustedRoot, source } = parcel;
  const bytes = trustedRoot && (await source.blob(trustedRoot));
  if (bytes !== null) return bytes;
  throw new TrustFault(
    'parcel.malformed',
    `${source.name} holds no trust root`,
    'Save the parcel with `bulla save --trusted-root FILE`.',
  );
}

function callOf({ signal }: CallOptions): CallOptions {
  return signal === undefined ? {} : { signal };
}

function conflict(name: string): TrustFault {
  return new TrustFault('parcel.conflict', `${quote(name)} would be two different things`);
}
