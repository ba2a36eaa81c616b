import type { RequestOptions } from 'node:https';
import { quote, TrustFault } from '@bulla/trust/fault/fault';

/** Which cluster, and as whom. */
export interface ClusterChoice {
  /** A file; null: the service account of the Pod that this runs in. */
  readonly kubeconfig: string | null;
  /** A context of the file; null: its current one. */
  readonly context: string | null;
}

/** The way to a cluster's API. */
export interface ClusterAccess {
  readonly server: URL;
  /** The namespace of the service account or of the context; null where neither names one. */
  readonly namespace: string | null;
  /** Headers, authority and client certificate of the next request: tokens are read anew. */
  options(): Promise<RequestOptions>;
}

/** The one part of the client's library that is used. */
export type KubeConfigModule = Pick<
  typeof import('@kubernetes/client-node/dist/config.js'),
  'KubeConfig'
>;

/**
 * How the configuration leads to the cluster. The library, which is large, is loaded here and nowhere
 * else: it reads kubeconfig files, service accounts and credential plugins. Throws
 * `kubernetes.config-invalid`, also for plain HTTP and for a context that does not check who answers.
 */
export async function connectCluster(
  choice: ClusterChoice,
  environment: Readonly<Record<string, string | undefined>>,
  load: () => Promise<KubeConfigModule> = loadInstalled,
): Promise<ClusterAccess> {
  if (choice.kubeconfig === null && environment['KUBERNETES_SERVICE_HOST'] === undefined) {
    throw invalid('no kubernetes.kubeconfig is configured, and this is no Pod of a cluster');
  }
  const { KubeConfig } = await load();
  const config = new KubeConfig();
  const where = choice.kubeconfig === null ? 'the service account' : quote(choice.kubeconfig);
  try {
    if (choice.kubeconfig === null) config.loadFromCluster();
    else config.loadFromFile(choice.kubeconfig);
  } catch {
    // Without its cause: a parser's message may quote the file, which holds credentials.
    throw invalid(`${where} cannot be read as a kubeconfig`);
  }
  if (choice.context !== null) config.setCurrentContext(choice.context);
  const cluster = config.getCurrentCluster();
  const context = config.getContextObject(config.getCurrentContext());
  if (cluster === null || context === null || !URL.canParse(cluster.server)) {
    const wanted = choice.context === null ? 'a current context' : `context ${choice.context}`;
    throw invalid(`expected ${wanted} with a cluster in ${where}`);
  }
  const server = new URL(cluster.server);
  if (server.protocol !== 'https:') {
    throw invalid(`expected an https:// server in ${where}, found ${quote(server.origin)}`);
  }
  // Whoever answered for the API server would otherwise decide what runs.
  if (cluster.skipTLSVerify) throw invalid(`${where} says insecure-skip-tls-verify`);
  return {
    server,
    namespace: context.namespace ?? null,
    async options() {
      const options: RequestOptions = { headers: {} };
      try {
        await config.applyToHTTPSOptions(options);
      } catch {
        throw invalid(`the credentials of ${where} cannot be had`);
      }
      return options;
    },
  };
}

function invalid(message: string): TrustFault {
  return new TrustFault('kubernetes.config-invalid', message);
}

function loadInstalled(): Promise<KubeConfigModule> {
  return import('@kubernetes/client-node/dist/config.js');
}
