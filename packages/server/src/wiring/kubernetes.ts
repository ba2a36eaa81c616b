import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import { type CelRunner, openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import { every } from '../bounds/every.ts';
import type { KubernetesSection, ServerConfig } from '../config/config.ts';
import type { Log } from '../http/log.ts';
import type { ReadyCheck } from '../http/probes.ts';
import { type KubernetesApi, kubernetesApi } from '../kubernetes/api.ts';
import { connectCluster } from '../kubernetes/connect.ts';
import { clusterPolicies } from '../kubernetes/policies/cluster-policies.ts';
import { CLUSTER_IMAGE_POLICIES, TRUST_POLICIES } from '../kubernetes/policies/kind.ts';
import { statusWriter } from '../kubernetes/policies/status.ts';
import { openPullSecrets, type PullSecretsOf } from '../kubernetes/pull-secrets.ts';
import { watchCollection } from '../kubernetes/watch.ts';
import type { Clocks } from './clocks.ts';
import type { ClusterPolicySource } from './policies.ts';

/** A cluster as the server's other parts use it; disposal ends its watches. */
export interface WiredCluster extends AsyncDisposable {
  readonly api: KubernetesApi;
  readonly pullSecretsOf: PullSecretsOf;
  /** Null where the cluster's policies are not this server's. */
  readonly policies: ClusterPolicySource | null;
  readonly checks: readonly ReadyCheck[];
}

/** What a cluster is wired from. */
export interface ClusterParts {
  readonly section: KubernetesSection;
  readonly clocks: Clocks;
  readonly log: Log;
}

const STATUS_EVERY_MS = 2000;

/** The cluster of the configuration; null without one, and then nothing of it is loaded. */
export async function wireKubernetes(
  { kubernetes }: Pick<ServerConfig, 'kubernetes'>,
  rest: Omit<ClusterParts, 'section'>,
): Promise<WiredCluster | null> {
  return kubernetes === null ? null : openCluster({ ...rest, section: kubernetes });
}

/** Connects and begins to watch. Throws `kubernetes.config-invalid`; an outage is no failure here. */
async function openCluster(parts: ClusterParts): Promise<WiredCluster> {
  const { section, clocks } = parts;
  const access = await connectCluster(section, process.env);
  const api = kubernetesApi(access, section.namespace);
  const pullSecretsOf = openPullSecrets({ api, nowMs: clocks.now });
  if (!section.policies) {
    return { api, pullSecretsOf, policies: null, checks: [], async [Symbol.asyncDispose]() {} };
  }
  const { tried, ...watched } = watchClusterPolicies(api, parts);
  // So that a server whose cluster answers is not told at its start that it has no policies.
  await tried;
  return { api, pullSecretsOf, ...watched };
}

function watchClusterPolicies(
  api: KubernetesApi,
  { section, clocks, log }: ClusterParts,
): Omit<WiredCluster, 'api' | 'pullSecretsOf'> & { readonly tried: Promise<unknown> } {
  const imported = section.clusterImagePolicies ? [CLUSTER_IMAGE_POLICIES] : [];
  const kinds = [TRUST_POLICIES, ...imported].map((kind) => {
    const failed = tellOnce((fault) => {
      const fields = { kind: kind.kind, fault };
      log.warn('the watch of the cluster is lost; what was known stays', fields);
    });
    const { path } = kind;
    return { kind, collection: watchCollection({ api, path, nowMs: clocks.now, failed }) };
  });
  const policies = clusterPolicies(kinds);
  const writer = statusWriter({
    api,
    clock: clocks.clock,
    failed: tellOnce((fault) => log.warn('a status cannot be written', { fault })),
  });
  const writing = every(
    { everyMs: STATUS_EVERY_MS },
    () => writer.write(policies.standings()),
    (error) => log.warn('the status of policies cannot be written', { fault: asFault(error) }),
  );
  let runner: CelRunner | null = null;
  const expressions = {
    checkExpression(text: string) {
      runner ??= openExpressionRunner();
      return runner.checkExpression(text);
    },
  };
  return {
    tried: Promise.all(kinds.map(({ collection }) => collection.tried)),
    policies: {
      fingerprint: () => policies.fingerprint(),
      read: (trustRoots, files) =>
        policies.read({ trustRoots, expressions }, new Set(files.keys())),
    },
    checks: [
      {
        name: 'kubernetes',
        async check() {
          for (const { kind, collection } of kinds) {
            const at = collection.syncedAtMs();
            if (at !== null && clocks.now() - at <= section.notReadyAfterMs) continue;
            throw new TrustFault('kubernetes.unreachable', `the watch of ${kind.kind} is lost`);
          }
        },
      },
    ],
    async [Symbol.asyncDispose]() {
      await writing[Symbol.asyncDispose]();
      await Promise.all(kinds.map(({ collection }) => collection[Symbol.asyncDispose]()));
      await runner?.[Symbol.asyncDispose]();
    },
  };
}

/** Each trouble once: what failed is tried again by itself, every few seconds. */
function tellOnce(tell: (fault: TrustFault) => void): (fault: TrustFault) => void {
  let told = '';
  return (fault) => {
    if (told === fault.message) return;
    told = fault.message;
    tell(fault);
  };
}
