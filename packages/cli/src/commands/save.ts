import { printable, TrustFault } from '@bulla/trust/fault/fault';
import type { CopyEvent } from '@bulla/trust/oci/copy';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { saveParcel } from '@bulla/trust/parcel';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { relocatedEvidence } from '../options/evidence-source.ts';
import { addRegistryOptions, type RegistryFlags, registryOptions } from '../options/registry.ts';
import { readNamedFile } from '../options/wrong-use.ts';
import { openProgress } from '../output/progress.ts';

interface SaveFlags extends RegistryFlags {
  readonly output?: string;
  readonly trustedRoot?: string;
}

/** `bulla save IMAGE… --output FILE|DIR`: an air-gap parcel, which is an OCI layout. */
export function configure(command: Command, context: CliContext): void {
  command
    .argument('<image...>', 'REGISTRY/NAME[:TAG|@DIGEST] or oci:PATH[:REF|@DIGEST]')
    .option('--output <path>', 'a new folder, or a new file whose name ends in .tar')
    .option('--trusted-root <file>', 'trusted_root.json that goes into the parcel');
  addRegistryOptions(command).action(async (images: readonly string[], flags: SaveFlags) => {
    const { output } = flags;
    if (output === undefined) {
      throw new TrustFault('usage.invalid', 'nothing says where to', 'Give --output FILE.tar.');
    }
    const trustedRoot = await readTrustRoot(flags.trustedRoot, context);
    const { says, broken } = await save(images, { ...flags, output }, trustedRoot, context);
    for (const line of says) context.out(line);
    for (const what of broken) context.err(`warning: not saved: ${printable(what)}`);
  });
}

type TrustRootFile = Parameters<typeof saveParcel>[0]['trustedRoot'];

/** Parsed before it is stored: a parcel with a broken trust root shows itself far from its maker. */
async function readTrustRoot(
  path: string | undefined,
  context: CliContext,
): Promise<TrustRootFile> {
  if (path === undefined) return null;
  const { parseTrustedRoot } = await import('@bulla/trust/trust-root/trusted-root');
  const { signal } = context;
  return readNamedFile({ path, maxBytes: 4 << 20, signal }, 'usage.trust-root', (bytes) => ({
    bytes,
    mediaType: parseTrustedRoot(bytes, path).mediaType,
  }));
}

interface Saved {
  readonly says: readonly string[];
  readonly broken: readonly string[];
}

async function save(
  images: readonly string[],
  flags: SaveFlags & { readonly output: string },
  trustedRoot: TrustRootFile,
  context: CliContext,
): Promise<Saved> {
  using progress = openProgress('saving', context);
  const options = { ...registryOptions(flags, context), onProgress: progress.onTransfer };
  const references = images.map(parseReference);
  const opened = await Promise.all(
    references.map(async (reference) => ({
      reference,
      source: await openStore(reference, options),
    })),
  );
  const evidence = await relocatedEvidence(context, options);
  if (evidence !== null) context.err(`evidence is taken from ${printable(evidence.name)} as well`);
  const events: CopyEvent[] = [];
  const saved = await saveParcel({
    images: opened,
    output: flags.output,
    trustedRoot,
    ...(evidence === null ? {} : { evidence }),
    signal: context.signal,
    onProgress: (event) => {
      events.push(event);
      progress.onCopy(event);
    },
  });
  const count = (what: CopyEvent['what']) =>
    new Set(events.filter((event) => event.what === what).map(({ digest }) => digest)).size;
  return {
    broken: saved.broken,
    says: [
      ...saved.images.map(({ name, digest }) => `saved ${printable(name)}  ${digest}`),
      ...(trustedRoot === null ? [] : ['saved the trust root']),
      `parcel ${printable(flags.output)}: ${count('manifest')} manifests, ${count('blob')} blobs`,
    ],
  };
}
