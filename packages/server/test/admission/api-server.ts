import { Agent, request } from 'node:https';
import { applyPatch } from './json-patch.ts';
import type { KubeObject } from './reviews.ts';

/** How an API server reaches a webhook. */
export interface WebhookShape {
  readonly port: number;
  /** The `caBundle` of the webhook configuration. */
  readonly caBundle: string;
  /** The Service; the certificate must be for `<name>.<namespace>.svc`. */
  readonly service?: { readonly name: string; readonly namespace: string };
  readonly timeoutSeconds?: number;
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
}

/** A call that the API server would count as failed, so that its failurePolicy decides. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly status: number;

  constructor(message: string, status = 0) {
    super(message);
    this.status = status;
  }
}

type Hook = 'mutate' | 'validate';

/** What a webhook answered, checked as the API server checks it. */
export interface Called {
  readonly allowed: boolean;
  /** As the user is told it. */
  readonly message: string;
  readonly code: number;
  readonly patch: readonly PatchStep[];
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

interface PatchStep {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** What became of a request through all admission. */
export interface Admitted extends Called {
  /** As it would be stored. */
  readonly object: unknown;
}

/** An API server, as far as webhooks can tell. */
export interface ApiServer {
  /** One call. Rejects with `CallFailure`. */
  call(hook: Hook, review: KubeObject): Promise<Called>;
  /** The body and status of any request, unchecked. */
  raw(path: string, body: string | Uint8Array, more?: RawShape): Promise<RawAnswer>;
  /**
   * The mutating call, once more as `reinvocationPolicy: IfNeeded` has it, and the validating one of
   * the object that came of it.
   */
  admit(review: KubeObject): Promise<Admitted>;
  close(): void;
}

export interface RawShape {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/**
 * A webhook client after the API server's (apiserver: admission/plugin/webhook): HTTP/1.1 over TLS on
 * kept connections, the Service's name in SNI and checked against the SAN, `?timeout=` of whole
 * seconds, and every check of the answer (request/admissionreview.go).
 */
export function apiServer(shape: WebhookShape): ApiServer {
  const { port, caBundle, timeoutSeconds = 10, clientCertificate = {} } = shape;
  const { name, namespace } = shape.service ?? { name: 'bulla', namespace: 'trust' };
  const servername = `${name}.${namespace}.svc`;
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });

  const raw: ApiServer['raw'] = (path, body, { method = 'POST', headers = {} } = {}) => {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          ...clientCertificate,
          agent,
          host: '127.0.0.1',
          port,
          path,
          method,
          ca: caBundle,
          servername,
          minVersion: 'TLSv1.2',
          headers: {
            host: servername,
            'content-type': 'application/json',
            accept: 'application/json, */*',
            'user-agent': 'kube-apiserver-admission',
            'content-length': Buffer.byteLength(body),
            ...headers,
          },
          signal: AbortSignal.timeout(timeoutSeconds * 1000),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              body: Buffer.concat(chunks).toString(),
              headers: response.headers,
            }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  };

  async function call(hook: Hook, review: KubeObject): Promise<Called> {
    const path = `/admission/${hook}?timeout=${timeoutSeconds}s`;
    let answer: RawAnswer;
    try {
      answer = await raw(path, JSON.stringify(review));
    } catch (error) {
      throw new CallFailure(`failed calling webhook: ${String(error)}`);
    }
    if (answer.status < 200 || answer.status > 299) {
      throw new CallFailure(answer.body, answer.status);
    }
    return checked(hook, review, answer.body);
  }

  return {
    call,
    raw,
    async admit(review) {
      const request = asMap(review['request']);
      let object = request['object'];
      const asked = () => ({ ...review, request: { ...request, object } });
      for (let round = 0; round < 2; round++) {
        const { patch } = await call('mutate', asked());
        if (round > 0 && patch.length > 0) throw new Error('the mutating call is not idempotent');
        object = applyPatch(object, patch);
      }
      return { ...(await call('validate', asked())), object };
    },
    close: () => agent.destroy(),
  };
}

/** request/admissionreview.go, VerifyAdmissionResponse; dispatcher.go for the rest. */
function checked(hook: Hook, review: KubeObject, body: string): Called {
  const answer = asMap(JSON.parse(body));
  if (answer['apiVersion'] !== review['apiVersion'] || answer['kind'] !== 'AdmissionReview') {
    throw new CallFailure(`expected webhook response of ${review['apiVersion']}`);
  }
  const response = asMap(answer['response']);
  if (response['uid'] !== asMap(review['request'])['uid']) throw new CallFailure('response.uid');
  const { patch, patchType } = response;
  if ((patch === undefined) !== (patchType === undefined)) throw new CallFailure('response.patch');
  if (hook === 'validate' && patch !== undefined) throw new CallFailure('response.patch');
  if (patchType !== undefined && patchType !== 'JSONPatch') throw new CallFailure('patchType');
  if (typeof response['allowed'] !== 'boolean') throw new CallFailure('response.allowed');
  const { code, message, reason } = asMap(response['status'] ?? {});
  if (!response['allowed'] && (typeof reason !== 'string' || typeof message !== 'string')) {
    throw new CallFailure('without explanation');
  }
  return {
    allowed: response['allowed'],
    message: `admission webhook "${hook}.bulla.dev" denied the request: ${String(message)}`,
    code: typeof code === 'number' && code >= 400 ? code : 400,
    patch: patch === undefined ? [] : JSON.parse(Buffer.from(String(patch), 'base64').toString()),
    warnings: limited((response['warnings'] ?? []) as readonly string[]),
    auditAnnotations: asMap(response['auditAnnotations'] ?? {}) as Readonly<Record<string, string>>,
  };
}

const BUDGET = 4096;
const LONGEST_OVER_BUDGET = 256;

/**
 * apiserver: endpoints/filters/warning.go. Each text once, and none that no header can carry; when all
 * together are over the budget each is cut, and what comes after it is used up is left out.
 */
function limited(texts: readonly string[]): readonly string[] {
  const distinct = [...new Set(texts)].filter((text) => text !== '' && !/\p{Cc}/u.test(text));
  const total = distinct.reduce((sum, text) => sum + [...text].length, 0);
  if (total <= BUDGET) return distinct;
  let written = 0;
  return distinct.flatMap((text) => {
    if (written >= BUDGET) return [];
    const cut = [...text].slice(0, LONGEST_OVER_BUDGET);
    written += cut.length;
    return [cut.join('')];
  });
}

function asMap(value: unknown): KubeObject {
  if (typeof value !== 'object' || value === null) throw new CallFailure('no object');
  return value as KubeObject;
}
