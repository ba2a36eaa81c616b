import { printable, quote, TrustFault } from '@bulla/trust/fault/fault';
import { COMPANIONS } from '@bulla/trust/formats/cosign-legacy/companions';
import { type CopyEvent, copyArtifact } from '@bulla/trust/oci/copy';
import { openStore, type StoreOptions } from '@bulla/trust/oci/open';
import { formatReference, parseReference, type Reference } from '@bulla/trust/oci/reference';
import { openParcel, type Parcel, readTrustedRoot } from '@bulla/trust/parcel';
import type { ParcelImage } from '@bulla/trust/parcel/contents';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { writeOutput } from '../options/files.ts';
import { addRegistryOptions, type RegistryFlags, registryOptions } from '../options/registry.ts';
import { type Copied, printCopied } from '../output/copied.ts';
import { openProgress, type Progress } from '../output/progress.ts';

interface LoadFlags extends RegistryFlags {
  readonly to?: string;
  readonly trustedRootOut?: string;
  readonly yes?: true;
}

/** `bulla load FILE|DIR [TARGET…]`: pushes what a parcel holds, under its own or other names. */
export function configure(command: Command, context: CliContext): void {
  command
    .argument('<parcel>', 'a folder or .tar file that `bulla save` wrote')
    .argument('[target...]', 'one name per artifact, in the order of the parcel')
    .option('--to <registry/prefix>', 'keep the names, below this registry and prefix')
    .option('-y, --yes', 'push to the names that the parcel itself gives, without asking')
    .option('--trusted-root-out <file>', 'write the trust root of the parcel to this file');
  addRegistryOptions(command).action(
    async (path: string, targets: readonly string[], flags: LoadFlags) => {
      const parcel = await openParcel(path);
      const out = flags.trustedRootOut;
      // Who only wants the trust root names no place for the artifacts.
      const isForRoot = out !== undefined && targets.length === 0 && flags.to === undefined;
      const planned = isForRoot ? [] : plan(parcel, targets, flags);
      const isChosen = targets.length > 0 || flags.to !== undefined || flags.yes === true;
      if (!isForRoot && !isChosen && !(await agreed(planned, context))) return;
      if (out !== undefined) {
        await writeOutput(out, await readTrustedRoot(parcel));
        context.out(`wrote the trust root to ${printable(out)}`);
      }
      for (const copied of await loadAll(parcel, planned, flags, context)) {
        printCopied(copied, context);
      }
    },
  );
}

/** Nobody signs a parcel's list of names: where things go is the user's word, not the parcel's. */
async function agreed(planned: readonly Planned[], context: CliContext): Promise<boolean> {
  context.err('the parcel names these places, and nobody signed its list:');
  for (const { to } of planned) context.err(`  ${printable(formatReference(to))}`);
  if (context.terminal.in && context.terminal.err) {
    const { askYes } = await import('../output/prompt.ts');
    return askYes('push to them?');
  }
  throw new TrustFault(
    'usage.invalid',
    'nothing was pushed: no target was given and there is no terminal to ask on',
    'Give --to REGISTRY/PREFIX, a target for each artifact, or --yes.',
  );
}

interface Planned {
  readonly image: ParcelImage;
  readonly to: Reference;
}

/** Where each artifact goes; decided for all of them before the first is pushed. */
function plan(parcel: Parcel, targets: readonly string[], flags: LoadFlags): readonly Planned[] {
  const { images } = parcel;
  if (targets.length > 0) {
    if (flags.to !== undefined || targets.length !== images.length) {
      throw new TrustFault(
        'usage.invalid',
        `the parcel holds ${images.length} artifacts, ${images.map(({ name }) => quote(name)).join(', ')}, and ${targets.length} targets were given${flags.to === undefined ? '' : ' beside --to'}`,
        'Give one target for each, or --to alone.',
      );
    }
    return images.map((image, index) => ({ image, to: parseReference(targets[index] ?? '') }));
  }
  return images.map((image) => ({ image, to: namedTarget(image, flags) }));
}

function namedTarget(image: ParcelImage, { to }: LoadFlags): Reference {
  const { name } = image;
  const own = name.includes('/') ? parseReference(name) : null;
  if (own?.kind === 'registry') {
    if (to === undefined) return own;
    const tail = own.tag === undefined ? `@${image.digest}` : `:${own.tag}`;
    return parseReference(`${to.replace(/\/+$/, '')}/${own.repository}${tail}`);
  }
  throw new TrustFault(
    'usage.invalid',
    `${quote(name)} of the parcel names no repository`,
    'Give a target for each artifact of the parcel.',
  );
}

async function loadAll(
  parcel: Parcel,
  planned: readonly Planned[],
  flags: LoadFlags,
  context: CliContext,
): Promise<readonly Copied[]> {
  using progress = openProgress('loading', context);
  const options = {
    ...registryOptions(flags, context),
    onProgress: progress.onTransfer,
    createLayout: true,
  };
  const done: Copied[] = [];
  for (const entry of planned) done.push(await load(parcel, entry, options, progress, context));
  return done;
}

async function load(
  parcel: Parcel,
  { image, to }: Planned,
  options: StoreOptions,
  progress: Progress,
  context: CliContext,
): Promise<Copied> {
  const target = await openStore(to, options);
  const tag = to.tag ?? (to.digest === undefined && to.kind === 'registry' ? 'latest' : undefined);
  const events: CopyEvent[] = [];
  const result = await copyArtifact(parcel.source, image.digest, target, {
    ...(tag === undefined ? {} : { tag }),
    referrers: true,
    companions: COMPANIONS,
    signal: context.signal,
    onProgress: (event) => {
      events.push(event);
      progress.onCopy(event);
    },
  });
  const name = tag === undefined ? `${target.name}@${image.digest}` : `${target.name}:${tag}`;
  return { says: `loaded ${printable(image.name)} into ${printable(name)}`, result, events };
}
