import { request } from 'node:https';

/** What the API server answered; `body` is its JSON, or its text where it is none. */
export interface KubeAnswer {
  readonly status: number;
  // What a test reads of it, it checks.
  // biome-ignore lint/suspicious/noExplicitAny: an answer is looked into as it came
  readonly body: any;
  /** `Warning` headers, as kubectl prints them. */
  readonly warnings: readonly string[];
}

/** How the body of a PATCH is meant; `apply` is server-side apply. */
export type PatchKind = 'merge' | 'strategic' | 'json' | 'apply';

const PATCH_TYPES: Readonly<Record<PatchKind, string>> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  // JSON is YAML, and the only one of the two that every API server takes.
  apply: 'application/apply-patch+yaml',
};

/** One request to an API server, as kubectl makes it. A PATCH is a merge patch unless told otherwise. */
export function askApiServer(
  { url, ca, token }: { readonly url: string; readonly ca: Buffer; readonly token: string },
  method: string,
  path: string,
  body?: unknown,
  patch: PatchKind = 'merge',
): Promise<KubeAnswer> {
  const type = method === 'PATCH' ? PATCH_TYPES[patch] : 'application/json';
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': type }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, headers, ca, timeout: 60_000 }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const given = answer.headers['warning'];
        resolve({
          status: answer.statusCode ?? 0,
          body: parsed(text),
          warnings: [given ?? []].flat(),
        });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
