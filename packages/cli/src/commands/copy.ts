import { printable, TrustFault } from '@bulla/trust/fault/fault';
import { COMPANIONS } from '@bulla/trust/formats/cosign-legacy/companions';
import { type CopyEvent, copyArtifact } from '@bulla/trust/oci/copy';
import { isDigest } from '@bulla/trust/oci/digest';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference, type Reference, tagOrDigest } from '@bulla/trust/oci/reference';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { relocatedEvidence } from '../options/evidence-source.ts';
import { addRegistryOptions, type RegistryFlags, registryOptions } from '../options/registry.ts';
import { type Copied, printCopied } from '../output/copied.ts';
import { openProgress } from '../output/progress.ts';

interface CopyFlags extends RegistryFlags {
  readonly yes?: true;
}

/** `bulla copy SRC DST`: an artifact with all its signatures, attestations and referrers. */
export function configure(command: Command, context: CliContext): void {
  command
    .argument('<source>', 'REGISTRY/NAME[:TAG|@DIGEST] or oci:PATH[:REF|@DIGEST]')
    .argument('<target>', 'the same; without a tag it gets the tag of the source')
    .option('-y, --yes', 'accepted for habit; nothing is asked');
  addRegistryOptions(command).action(async (source: string, target: string, flags: CopyFlags) => {
    const copied = await copy(parseReference(source), parseReference(target), flags, context);
    printCopied(copied, context);
  });
}

async function copy(
  from: Reference,
  to: Reference,
  flags: CopyFlags,
  context: CliContext,
): Promise<Copied> {
  using progress = openProgress('copying', context);
  const options = { ...registryOptions(flags, context), onProgress: progress.onTransfer };
  const source = await openStore(from, options);
  const { digest, tag } = await choose(source, from, to, context);
  const evidence = await relocatedEvidence(context, options);
  if (evidence !== null) context.err(`evidence is taken from ${printable(evidence.name)} as well`);
  const target = await openStore(to, { ...options, createLayout: true });
  const events: CopyEvent[] = [];
  const result = await copyArtifact(source, digest, target, {
    ...(tag === undefined ? {} : { tag }),
    referrers: true,
    companions: COMPANIONS,
    ...(evidence === null ? {} : { evidence }),
    signal: context.signal,
    onProgress: (event) => {
      events.push(event);
      progress.onCopy(event);
    },
  });
  const name =
    tag === undefined ? `${printable(target.name)}@${digest}` : `${printable(target.name)}:${tag}`;
  return { says: `copied ${printable(source.name)}@${digest} to ${name}`, result, events };
}

/** The digest behind the source now, and the name that it gets; a digest in the target must be it. */
async function choose(
  source: ArtifactSource,
  from: Reference,
  to: Reference,
  context: CliContext,
): Promise<{ readonly digest: string; readonly tag: string | undefined }> {
  const wanted = tagOrDigest(from);
  const found = await source.resolve(wanted, { signal: context.signal });
  if (found === null) {
    throw new TrustFault('artifact.not-found', `${source.name} has no ${printable(wanted)}`);
  }
  if (to.digest !== undefined && to.digest !== found.digest) {
    throw new TrustFault(
      'usage.invalid',
      `the target names ${to.digest}, and the source is ${found.digest}`,
    );
  }
  if (to.tag !== undefined || to.digest !== undefined) return { digest: found.digest, tag: to.tag };
  const isNamed = wanted !== '' && !isDigest(wanted);
  return { digest: found.digest, tag: isNamed ? wanted : undefined };
}
