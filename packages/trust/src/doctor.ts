import { probeBase, probeReferrers, probeValidator, withoutRepository } from './doctor/probe.ts';
import { type RepositoryScan, type SubjectScan, scanRepository } from './doctor/referrer-scan.ts';
import { repairSubject } from './doctor/repair.ts';
import { probeWriting, SCRATCH } from './doctor/write-probe.ts';
import { allOf } from './finding/combine.ts';
import { type Finding, failed, passed, skipped } from './finding/finding.ts';
import { fallbackTag } from './oci/referrer-list.ts';
import type { RegistryOptions } from './oci/registry/options.ts';
import { registryClient } from './oci/registry/registry-client.ts';
import { openRegistryStore } from './oci/registry/registry-store.ts';
import type { Repository } from './oci/registry/repository.ts';
import type { ArtifactTarget, CallOptions } from './oci/store.ts';
import { findProblem } from './proof/gather.ts';

/** What is examined and what may be written. */
export interface DoctorOptions extends CallOptions {
  /** The canonical registry, `docker.io`. */
  readonly registry: string;
  /** The repository whose referrers are examined; null for the registry alone. */
  readonly repository: string | null;
  readonly registryOptions: RegistryOptions;
  /** A word that makes the probe's writing unlike any other's; null writes nothing. */
  readonly writeAs: string | null;
  /** Whether lists of referrers that are not whole are mended. */
  readonly repair: boolean;
}

/** What a registry's examination came to. */
export interface DoctorReport {
  readonly finding: Finding;
  /** What was mended, one sentence each. */
  readonly repaired: readonly string[];
}

const MAX_TAGS = 10_000;

/**
 * Examines a registry: whether it answers, its referrers API, conditional writes, deletion and tag
 * immutability, and in a repository the health of the lists of referrers. Reads only, unless
 * `writeAs` or `repair` say otherwise. What a registry merely lacks is a finding that passes and
 * says so; `fail` is what hides or loses signatures; an outage is `inconclusive`.
 */
export async function examineRegistry(options: DoctorOptions): Promise<DoctorReport> {
  const client = registryClient(options.registry, options.registryOptions);
  const path = options.repository ?? SCRATCH;
  const repository: Repository = { client, path, name: `${options.registry}/${path}` };
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const base = await probeBase(repository, call);
  if (base.outcome !== 'pass') return report(options, [base], []);
  const health = await examineRepository(repository, options, call);
  const written =
    options.writeAs === null
      ? [skipped('registry.write', 'nothing was written: --write was not given')]
      : await probeWriting(repository, options.writeAs, call);
  return report(options, [base, ...health.findings, ...written], health.repaired);
}

function report(
  { registry, repository }: DoctorOptions,
  findings: readonly Finding[],
  repaired: readonly string[],
): DoctorReport {
  const name = repository === null ? registry : `${registry}/${repository}`;
  return { finding: allOf('doctor.registry', findings, name), repaired };
}

interface Health {
  readonly findings: readonly Finding[];
  readonly repaired: readonly string[];
}

async function examineRepository(
  repository: Repository,
  options: DoctorOptions,
  call: CallOptions,
): Promise<Health> {
  if (options.repository === null) {
    return { findings: withoutRepository('no repository was named'), repaired: [] };
  }
  const { registry } = options;
  const reference = { kind: 'registry', registry, repository: options.repository } as const;
  const store = openRegistryStore(reference, options.registryOptions);
  try {
    const tags = await store.tags(call);
    const [first] = tags;
    const known = first === undefined ? null : await store.resolve(first, call);
    if (first === undefined || known === null) {
      return { findings: withoutRepository(`${repository.name} has no tags`), repaired: [] };
    }
    const referrers = await probeReferrers(repository, known.digest, call);
    const findings = [...referrers.findings, await probeValidator(repository, first, call)];
    if (referrers.api === null) return { findings, repaired: [] };
    const ground = { repository, store, tags, api: referrers.api, repair: options.repair, call };
    const lists = await examineLists(ground);
    return { findings: [...findings, ...lists.findings], repaired: lists.repaired };
  } catch (error) {
    return { findings: [findProblem('registry.repository', error)], repaired: [] };
  }
}

interface ListsGround {
  readonly repository: Repository;
  readonly store: ArtifactTarget;
  readonly tags: readonly string[];
  readonly api: boolean;
  readonly repair: boolean;
  readonly call: CallOptions;
}

async function examineLists(ground: ListsGround): Promise<Health> {
  const { repository, store, api, call } = ground;
  const tags = ground.tags.slice(0, MAX_TAGS);
  const options = { ...call, api };
  let scan = await scanRepository(repository, store, tags, options);
  const repaired: string[] = [];
  const failures: Finding[] = [];
  if (ground.repair) {
    for (const subject of scan.subjects.filter(({ problems }) => problems.length > 0)) {
      try {
        repaired.push(await repairSubject(repository, store, subject, options));
      } catch (error) {
        failures.push(findProblem('referrers.repair', error));
      }
    }
    // What is reported is what is there now.
    if (repaired.length > 0) scan = await scanRepository(repository, store, tags, options);
  }
  const unseen = ground.tags.length - tags.length;
  const cut =
    unseen === 0 ? [] : [skipped('referrers.tags', `${unseen} tags beyond ${MAX_TAGS} were left`)];
  return { findings: [...failures, ...findingsOf(scan), ...cut], repaired };
}

function findingsOf(scan: RepositoryScan): readonly Finding[] {
  const troubled = scan.subjects.filter(({ problems }) => problems.length > 0);
  const says = `${scan.subjects.length - troubled.length} of ${scan.subjects.length} lists of referrers are whole (${scan.tags} tags were looked at)`;
  const lists = troubled.map(({ subject, problems }) =>
    allOf(
      'referrers.list',
      problems.map(({ code, says: what }) => failed('referrers.entry', code, what)),
      `the referrers of ${subject}`,
      { source: 'distribution-spec 1.1 "Referrers Tag Schema"' },
    ),
  );
  return [
    ...(troubled.length === 0 ? [passed('referrers.lists', says)] : lists),
    ...orphansOf(scan),
  ];
}

function orphansOf({ orphanedTags, subjects }: RepositoryScan): readonly Finding[] {
  const gone = subjects.filter(({ isGone, whole }) => isGone && whole.length > 0);
  return [
    ...orphanedTags.map((tag) =>
      failed(
        'referrers.orphan',
        'doctor.orphan',
        `the tag ${tag} is about a manifest that is gone`,
      ),
    ),
    ...gone.map(describeOrphans),
    ...(orphanedTags.length + gone.length === 0
      ? [passed('referrers.orphan', 'no signature is about an artifact that is gone')]
      : []),
  ];
}

function describeOrphans({ subject, whole }: SubjectScan): Finding {
  const digests = whole.map(({ digest }) => digest).join(', ');
  const says = `${digests} (in ${fallbackTag(subject)}) is about ${subject}, which is gone`;
  return failed('referrers.orphan', 'doctor.orphan', says);
}
