import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, quote, TrustFault } from '@bulla/trust/fault/fault';
import { writeKeyFiles } from '@bulla/trust/keys/file/write';
import type { KeyType } from '../http/tls/issue.ts';
import type { ClusterObject, KubernetesApi } from '../kubernetes/api.ts';
import { type CarrierNames, carries, carry, readCarriers } from './carriers.ts';
import { chainOf, keyPem, parseSecret, secretData } from './secret.ts';
import { advance, bundleOf, type CertificateState } from './state.ts';

/** What is kept, and where. */
export interface WebhookCertificatesOptions {
  readonly api: Pick<KubernetesApi, 'get' | 'create' | 'replace' | 'patch'>;
  readonly namespace: string;
  readonly service: string;
  /** Further names by which callers reach this server, for configurations with a URL. */
  readonly names?: readonly string[];
  readonly secret: string;
  readonly keyType: KeyType;
  readonly carriers: CarrierNames;
  /** Where `tls.crt` and `tls.key` of this replica lie. */
  readonly folder: string;
  readonly clock: () => Date;
  readonly nowMs: () => number;
}

/** How things stand after a turn. */
export interface WebhookCertificates {
  /** When the certificate that is served ends. */
  readonly servedUntil: Date;
  readonly authorityUntil: Date;
  /** Whether configurations carry more than one authority at present. */
  readonly rotating: boolean;
}

/** Files that a listener names. */
export const CERTIFICATE_FILE = 'tls.crt';
export const KEY_FILE = 'tls.key';

const ATTEMPTS = 8;

/**
 * Takes one step of the rotation each time it is called, with any number of replicas at it: the Secret
 * changes by compare-and-swap, and a configuration only from the state in which it was read. The
 * configurations are read before the Secret: whoever finds a new bundle in one then finds the state
 * behind it as well, so that nobody can put an older bundle back. Throws `kubernetes.*`,
 * `http.tls-invalid` for a folder that cannot be written.
 */
export function webhookCertificates(
  options: WebhookCertificatesOptions,
): () => Promise<WebhookCertificates> {
  let carried: { readonly bundle: string; readonly sinceMs: number } | null = null;
  const names = namesOf(options);

  async function turn(): Promise<WebhookCertificates> {
    const { api, namespace, service, clock, nowMs } = options;
    const callee = { namespace, service, names };
    const carriers = await readCarriers(api, options.carriers, callee);
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    const kept = await api.get(`${path}/${options.secret}`);
    const before = kept === null ? null : parseSecret(kept.value);
    const old = before === null ? null : bundleOf(before);
    if (old === null || !carriers.every((each) => carries(each, old))) carried = null;
    else if (carried?.bundle !== old) carried = { bundle: old, sinceMs: nowMs() };
    const carriedMs = carried === null ? 0 : nowMs() - carried.sinceMs;
    const { keyType } = options;
    const state = advance(before, { names, keyType, at: clock(), carriedMs });
    if (state !== before) await save(options, path, kept, state);
    const bundle = bundleOf(state);
    const behind = carriers.filter((each) => !carries(each, bundle));
    for (const carrier of behind) await carry(api, carrier, bundle);
    await writeFiles(options.folder, state);
    return {
      servedUntil: state.served.certificate.validToDate,
      authorityUntil: state.authority.certificate.validToDate,
      rotating: state.next !== null || state.former.length > 0,
    };
  }
  return async () => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await turn();
      } catch (error) {
        // Another replica was quicker: what it wrote is what this one starts from.
        if (attempt === ATTEMPTS || !hasCode(error, 'kubernetes.conflict')) throw error;
      }
    }
  };
}

function namesOf({ namespace, service, names = [] }: WebhookCertificatesOptions) {
  // The API server calls the first and sends it as SNI.
  const host = `${service}.${namespace}.svc`;
  return [...new Set([host, `${host}.cluster.local`, ...names])];
}

async function save(
  { api, namespace, secret }: WebhookCertificatesOptions,
  path: string,
  kept: ClusterObject | null,
  state: CertificateState,
): Promise<void> {
  const data = secretData(state);
  if (kept === null) {
    const metadata = { name: secret, namespace };
    await api.create(path, { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata, data });
    return;
  }
  await api.replace(`${path}/${secret}`, { ...kept.value, apiVersion: 'v1', kind: 'Secret', data });
}

/** Written when they differ: a listener reads them again when they change. */
async function writeFiles(folder: string, state: CertificateState): Promise<void> {
  const certificate = chainOf(state);
  const key = keyPem(state.served);
  const files = [join(folder, CERTIFICATE_FILE), join(folder, KEY_FILE)] as const;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const there = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
    if (there[0] === certificate && there[1] === key) return;
    await writeKeyFiles(
      [
        { path: files[1], text: key, secret: true },
        { path: files[0], text: certificate, secret: false },
      ],
      { overwrite: true },
    );
  } catch (cause) {
    const message = `cannot keep certificates in ${quote(folder)}`;
    throw new TrustFault('http.tls-invalid', message, 'Let the server write the folder.', {
      cause,
    });
  }
}
