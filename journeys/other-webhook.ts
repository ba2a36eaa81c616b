// A mutating webhook of somebody else, after Bulla's: it does what an object's label says.
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { mint } from '../packages/server/test/http/tls/mint.ts';
import type { KubeApiServer } from './kube-apiserver.ts';

/** The label by which an object chooses what is done to it. */
export const DOES = 'acme.example/does';
/** The label of objects that are changed again when another webhook has changed them. */
export const AGAIN = 'acme.example/again';

/** Operations of a JSON Patch. */
export type Patch = readonly {
  readonly op: string;
  readonly path: string;
  readonly value: unknown;
}[];

/** What the other webhook runs until it is disposed of. */
export interface OtherWebhook extends AsyncDisposable {
  /** How often it was asked so far. */
  readonly asked: () => number;
}

/** Starts and registers it for new Pods with the label, by a name that comes after Bulla's. */
export async function startOtherWebhook(
  kube: KubeApiServer,
  does: Readonly<Record<string, Patch>>,
): Promise<OtherWebhook> {
  const authority = mint('another authority');
  const leaf = mint('other', { by: authority, purpose: 'server' });
  let asked = 0;
  const server = createServer({ cert: leaf.certificate, key: leaf.key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked += 1;
      const { request: review } = JSON.parse(Buffer.concat(chunks).toString());
      const patch = JSON.stringify(does[review.object.metadata.labels[DOES]] ?? []);
      const answer = {
        uid: review.uid,
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(patch).toString('base64'),
      };
      const kind = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
      response.end(JSON.stringify({ ...kind, response: answer }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const webhook = (name: string, reinvocationPolicy: string, operator: string) => ({
    name: `${name}.acme.example`,
    clientConfig: {
      url: `https://127.0.0.1:${address.port}/`,
      caBundle: Buffer.from(authority.certificate).toString('base64'),
    },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    objectSelector: {
      matchExpressions: [
        { key: DOES, operator: 'Exists' },
        { key: AGAIN, operator },
      ],
    },
    failurePolicy: 'Fail',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    reinvocationPolicy,
  });
  await kube.create('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'zz-other' },
    webhooks: [webhook('once', 'Never', 'DoesNotExist'), webhook('again', 'IfNeeded', 'Exists')],
  });
  return {
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
