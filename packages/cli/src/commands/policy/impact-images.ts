import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { quote, systemReason, TrustFault } from '@bulla/trust/fault/fault';
import { parseReference } from '@bulla/trust/oci/reference';
import type { ImpactedImage } from '@bulla/trust/policy/impact/report';
import { nameReader } from '@bulla/trust/policy/names';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import type { CliContext } from '../../context.ts';
import { type DecidingFlags, mapReported, openDecider } from '../../options/decisions.ts';
import { storedDossiers } from '../../options/dossiers.ts';
import { type ImageSourceFlags, sourcedImages } from '../../options/image-sources.ts';
import { impacted, type Judging, judgeStored, type Placed, untold } from '../../options/impact.ts';
import { namedAliases } from '../../options/policy.ts';

type Flags = DecidingFlags & ImageSourceFlags;

const FILES_MOST = 10_000;

/**
 * What a change does to the images of a list, a registry or a cluster, of which the evidence is fetched.
 * An image that cannot be had is unknown, and one whose name cannot be read is reported.
 */
export async function impactOfImages(
  flags: Flags,
  set: PolicySet,
  judging: Judging,
): Promise<readonly ImpactedImage[]> {
  const { context } = judging;
  const sourced = await sourcedImages(flags, context);
  await using decider = openDecider(set, flags, context);
  const asked = sourced.map((image) => {
    const surface = image.running === null ? {} : { surface: 'admission' as const };
    return { ...image, ...surface, where: image.running };
  });
  const found = await mapReported(asked, context, async (image): Promise<ImpactedImage> => {
    const { decision, dossier } = await decider.decideImage(image);
    const { reference, repository, digest, surface, namespace, environment, tag, at } = decision;
    const placed: Placed = {
      repository,
      digest: digest ?? '',
      tags: tag === null ? [] : [tag],
      running: image.running === null ? [] : [image.running],
      deployable: true,
      lastDecision: null,
    };
    if (digest === null) return untold(placed, `${reference} could not be resolved`);
    const scope = { repository, surface, namespace, environment };
    const question = { reference, scope, tag, rollback: null, dossier, at };
    return impacted(placed, await judgeStored(question, judging));
  });
  return found.filter((one) => one !== undefined);
}

/** What a change does to the images whose evidence lies in files or folders. Throws `usage.file`. */
export async function impactOfEvidence(
  paths: readonly string[],
  flags: DecidingFlags,
  judging: Judging,
): Promise<readonly ImpactedImage[]> {
  const { context } = judging;
  const canonical = nameReader(namedAliases(flags));
  const found: ImpactedImage[] = [];
  for (const file of (await Promise.all(paths.map(filesUnder))).flat()) {
    for (const dossier of await storedDossiers(file, context)) {
      const { source: reference, root } = dossier;
      const repository = canonical(parseReference(reference));
      const placed: Placed = {
        ...{ repository, digest: root ?? '', tags: [], running: [] },
        ...{ deployable: true, lastDecision: null },
      };
      const { surface = 'gate', namespace = null, environment = null } = flags;
      const scope = { repository, surface, namespace, environment };
      const question = { reference, scope, tag: null, rollback: null, dossier };
      found.push(
        root === null
          ? untold(placed, `${file} holds no evidence of a digest`)
          : impacted(placed, await judgeStored({ ...question, at: context.clock() }, judging)),
      );
    }
  }
  return found;
}

/**
 * The images with where an inventory says that they run. What runs and was not looked at is unknown:
 * with stored evidence named, nothing is fetched for it.
 */
export async function inCluster(
  told: readonly ImpactedImage[],
  flags: Flags & { readonly cluster: string },
  context: CliContext,
): Promise<readonly ImpactedImage[]> {
  const canonical = nameReader(namedAliases(flags));
  const byName = new Map(told.map((image) => [`${image.repository}@${image.digest}`, image]));
  const running = await sourcedImages({ cluster: flags.cluster }, context);
  const placed = await mapReported(
    running.map((image) => ({ ...image, where: image.running })),
    context,
    async ({ reference, running: where }): Promise<ImpactedImage> => {
      const named = parseReference(reference);
      const repository = canonical(named);
      const places = where === null ? [] : [where];
      const digest = named.digest ?? '';
      const known = byName.get(`${repository}@${digest}`);
      if (known !== undefined) return { ...known, running: places };
      const one: Placed = {
        ...{ repository, digest, tags: [], running: places },
        ...{ deployable: false, lastDecision: null },
      };
      const why =
        digest === '' ? 'the cluster does not say its digest' : 'no stored evidence is about it';
      return untold(one, why);
    },
  );
  return [...told, ...placed.filter((one) => one !== undefined)];
}

/** The files of a folder and below, without hidden ones; links are not followed. */
async function filesUnder(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { withFileTypes: true, recursive: true });
    const files = entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map(({ parentPath, name }) => join(parentPath, name))
      .toSorted();
    if (files.length <= FILES_MOST) return files;
    throw new TrustFault('usage.file', `expected at most ${FILES_MOST} files of evidence`);
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    const says = `cannot read ${quote(path)}: ${systemReason(cause)}`;
    throw new TrustFault('usage.file', says, undefined, { cause });
  }
}
