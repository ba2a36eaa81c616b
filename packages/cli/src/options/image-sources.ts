import { printable, TrustFault } from '@bulla/trust/fault/fault';
import { mapBounded } from '@bulla/trust/oci/bounded';
import { openStore } from '@bulla/trust/oci/open';
import { canonicalName, parseReference, parseRegistryHost } from '@bulla/trust/oci/reference';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { readFileBounded } from './files.ts';
import { type RegistryFlags, registryOptions } from './registry.ts';

/** Options that name images other than on the command line. */
export interface ImageSourceFlags extends RegistryFlags {
  readonly images?: string;
  readonly registry?: string;
  readonly cluster?: string;
}

/** An image of a list, a registry or a cluster. */
export interface SourcedImage {
  /** What is decided about; by digest where that is known. */
  readonly reference: string;
  /** The tag that leads to it, where a tag was followed. */
  readonly tag: string | null;
  readonly namespace: string | null;
  /** Where it runs; null where nothing says that it does. */
  readonly running: string | null;
}

const MAX_LIST_BYTES = 16 << 20;
const MAX_INVENTORY_BYTES = 512 << 20;
const PARALLEL = 8;

/** Declares `--images`, `--registry` and `--cluster`. */
export function addImageSourceOptions(command: Command): Command {
  return command
    .option('--images <file>', 'images, one a line; - reads them')
    .option('--registry <host/prefix>', 'every tag of the repositories that are or are below it')
    .option('--cluster <file>', 'what `kubectl get pods -A -o json` printed; - reads it');
}

/** Whether any of the options is given. */
export function hasImageSource({ images, registry, cluster }: ImageSourceFlags): boolean {
  return images !== undefined || registry !== undefined || cluster !== undefined;
}

/**
 * The images that the options name, each reference once for each namespace and place. Throws
 * `images.none`, `impact.inventory-malformed`, `usage.*`, `registry.*`.
 */
export async function sourcedImages(
  flags: ImageSourceFlags,
  context: CliContext,
): Promise<readonly SourcedImage[]> {
  const { images, registry, cluster } = flags;
  const found = [
    ...(images === undefined ? [] : await listedImages(images, context)),
    ...(registry === undefined ? [] : await registryImages(registry, flags, context)),
    ...(cluster === undefined ? [] : await runningImages(cluster, context)),
  ];
  if (found.length > 0) return found;
  const names = [images, registry, cluster].filter((name) => name !== undefined).join(', ');
  throw new TrustFault('images.none', `${names} names no image`, 'Give what names at least one.');
}

/** One image a line, each once; what follows # is a comment. */
async function listedImages(file: string, { signal }: CliContext): Promise<SourcedImage[]> {
  const bytes = await readFileBounded(file, MAX_LIST_BYTES, signal);
  const lines = Buffer.from(bytes).toString('utf8').split(/\r?\n/);
  const named = lines.map((line) => line.replace(/(^|\s)#.*$/, '').trim());
  return [...new Set(named.filter((line) => line !== ''))].map((reference) => {
    return { reference, tag: null, namespace: null, running: null };
  });
}

async function registryImages(
  text: string,
  flags: RegistryFlags,
  context: CliContext,
): Promise<readonly SourcedImage[]> {
  const [host = '', ...path] = text.replace(/\/+$/, '').split('/');
  const registry = parseRegistryHost(host);
  const prefix = path.join('/');
  const options = registryOptions(flags, context);
  const call = { signal: context.signal };
  const { listRepositories } = await import('@bulla/trust/oci/registry/catalog');
  const all = await listRepositories(registry, options, call);
  const names = all.filter(
    (name) => prefix === '' || name === prefix || name.startsWith(`${prefix}/`),
  );
  const tagged = await mapBounded(names, PARALLEL, async (name) => {
    const repository = `${registry}/${name}`;
    const store = await openStore(parseReference(repository), options);
    const tags = await store.tags(call);
    return tags.filter(isImageTag).map((tag): SourcedImage => {
      return { reference: `${repository}:${tag}`, tag, namespace: null, running: null };
    });
  });
  return tagged.flat();
}

/** Signatures and referrers' lists that registries without their API keep under tags. */
function isImageTag(tag: string): boolean {
  return !/^sha(?:256|512)-[0-9a-f]+(?:\.[a-z]+)?$/.test(tag);
}

async function runningImages(file: string, context: CliContext): Promise<readonly SourcedImage[]> {
  const { clusterImages } = await import('@bulla/trust/images/cluster');
  const bytes = await readFileBounded(file, MAX_INVENTORY_BYTES, context.signal);
  const { images, notes } = clusterImages(bytes, file === '-' ? 'the inventory' : file);
  for (const note of notes) context.err(`note: ${printable(note)}`);
  return images.map(({ reference, digest, namespace, where }): SourcedImage => {
    // To a cluster `oci:x` is an image of Docker Hub, never a folder beside whoever reads this.
    const pulled = reference.replace(/^oci:/, 'docker.io/library/oci:');
    const exact = digest === null ? pulled : `${nameOf(pulled)}@${digest}`;
    return { reference: exact, tag: null, namespace, running: where };
  });
}

/** The reference without tag and digest; one that cannot be read is told of when it is decided. */
function nameOf(reference: string): string {
  try {
    return canonicalName(parseReference(reference));
  } catch {
    return reference.replace(/@.*$/, '');
  }
}
