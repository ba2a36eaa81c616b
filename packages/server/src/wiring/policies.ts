import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { problemLine } from '@bulla/trust/bytes/yaml/problem';
import { asFault } from '@bulla/trust/fault/fault';
import { loadPolicies } from '@bulla/trust/policy/files/load';
import { findPolicyFiles, readRegularFile } from '@bulla/trust/policy/files/read';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { policySet } from '@bulla/trust/policy/ready';
import { parseTrustedRoot, type TrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import { every } from '../bounds/every.ts';
import type { ServerConfig } from '../config/config.ts';
import {
  type InForce,
  type LoadedSet,
  openPolicies,
  type PoliciesInForce,
} from '../decision/policies.ts';
import type { Log } from '../http/log.ts';
import type { ClusterRead } from '../kubernetes/policies/cluster-policies.ts';
import type { PolicyText } from '../overview/service.ts';
import type { PolicyCutOvers } from './rollouts.ts';

/** The policies of the configured files, watched until disposal. */
export interface WatchedPolicies extends AsyncDisposable {
  readonly inForce: PoliciesInForce;
  /** The files as they were read last. */
  texts(): readonly PolicyText[];
}

/** Policies that a cluster holds, beside those of files. */
export interface ClusterPolicySource {
  /** Changes with them. */
  fingerprint(): string;
  /** Throws `policy.unreadable` until they were listed once; then nothing is in force. */
  read(
    trustRoots: ReadonlyMap<string, TrustedRoot>,
    files: ReadonlyMap<string, string>,
  ): Promise<ClusterRead>;
}

const CHECK_EVERY_MS = 2000;
const MAX_TRUST_ROOT_BYTES = 4 << 20;
/** What the console shows of one file. */
const MAX_TEXT = 256 << 10;

/**
 * Loads the policies and looks every two seconds whether their files, keys or trust roots changed, or
 * the cut-overs that make some of them refuse.
 */
export async function watchPolicies(
  config: Pick<ServerConfig, 'policies' | 'trustRoots'>,
  log: Log,
  clock: () => Date,
  cluster: ClusterPolicySource | null = null,
  cutOvers: PolicyCutOvers | null = null,
): Promise<WatchedPolicies> {
  let texts: readonly PolicyText[] = [];
  let set: PolicySet | null = null;
  let told: string | null = null;
  const inForce = await openPolicies({
    async load() {
      const trustRoots = await readTrustRoots(config.trustRoots);
      const loaded = await loadPolicies(config.policies, { trustRoots });
      set = loaded.set;
      const files = { ...loaded, warnings: loaded.warnings.map(problemLine) };
      const all =
        cluster === null ? files : joined(files, await cluster.read(trustRoots, files.files));
      return cutOvers === null ? all : await cutOvers.apply(all);
    },
    async fingerprint() {
      const files = await policyFiles(config.policies);
      const named = [...files, ...namedFiles(files, set), ...trustRootFiles(config)];
      const others = `${cluster?.fingerprint() ?? ''} ${(await cutOvers?.fingerprint()) ?? ''}`;
      return `${others} ${await fingerprintOf(named)}`;
    },
    clock,
    changed(now) {
      const news = `${now.set?.hash} ${now.problem?.message}`;
      if (news !== told) tell(now, log);
      told = news;
    },
  });
  const readTexts = async () => {
    texts = await Promise.all((await policyFiles(config.policies)).map(readText));
  };
  await readTexts();
  const check = async () => {
    await inForce.check();
    await readTexts();
    await cutOvers?.settle();
  };
  const watching = every({ everyMs: CHECK_EVERY_MS }, check, (error) => {
    log.error('the policies cannot be looked at', { fault: asFault(error) });
  });
  return {
    inForce,
    texts: () => texts,
    [Symbol.asyncDispose]: () => watching[Symbol.asyncDispose](),
  };
}

/** The policies of files and of the cluster as one set. */
function joined(files: LoadedSet, cluster: ClusterRead): LoadedSet {
  return {
    set: policySet([...files.set.policies, ...cluster.policies]),
    files: new Map([...files.files, ...cluster.files]),
    warnings: [...files.warnings, ...cluster.warnings],
    problem: cluster.problem,
  };
}

function tell({ set, problem, warnings }: InForce, log: Log): void {
  if (problem !== null) log.error('the policy files cannot be used', { fault: problem });
  if (set === null) return;
  log.info('policies in force', { count: set.policies.length, hash: set.hash });
  for (const warning of warnings) log.warn(warning);
}

async function readTrustRoots(
  named: ServerConfig['trustRoots'],
): Promise<ReadonlyMap<string, TrustedRoot>> {
  const roots = Object.entries(named).map(async ([name, { file }]) => {
    // One that cannot be read leaves what is in force, and that says so.
    const bytes = await readRegularFile(file, MAX_TRUST_ROOT_BYTES, 'policy.file');
    const root = parseTrustedRoot(bytes, file);
    // Findings call it as policies do, and name no folder of the server.
    return [name, { ...root, name }] as const;
  });
  return new Map(await Promise.all(roots));
}

async function policyFiles(paths: readonly string[]): Promise<readonly string[]> {
  return (await findPolicyFiles(paths)).files;
}

function trustRootFiles({ trustRoots }: Pick<ServerConfig, 'trustRoots'>): readonly string[] {
  return Object.values(trustRoots).map(({ file }) => file);
}

/** Keys and trust roots that policies name, beside whichever of the files they may stand. */
function namedFiles(files: readonly string[], set: PolicySet | null): readonly string[] {
  const folders = [...new Set(files.map((file) => dirname(file)))];
  const names = (set?.policies ?? []).flatMap(({ document }) => [
    ...Object.values(document.trustRoots).map(({ file }) => file),
    ...Object.values(document.authorities).flatMap((authority) =>
      authority.kind === 'key' && authority.ref !== null ? [authority.ref] : [],
    ),
  ]);
  return folders.flatMap((folder) => names.map((name) => resolve(folder, name)));
}

/** A text that changes with any of the files; one that is gone is part of it. */
async function fingerprintOf(files: readonly string[]): Promise<string> {
  const stats = await Promise.all(
    files.map(async (file) => {
      const found = await stat(file, { bigint: true }).catch(() => null);
      return found === null ? [file] : [file, found.mtimeNs, found.size, found.ino].map(String);
    }),
  );
  return JSON.stringify(stats);
}

async function readText(file: string): Promise<PolicyText> {
  const bytes = await readFile(file).catch(() => null);
  return { file, text: bytes === null ? '' : bytes.toString('utf8', 0, MAX_TEXT) };
}
