// What journeys of admission send, and what they expect of an answer.
import assert from 'node:assert/strict';
import { type AdmissionHouse, DEV, HOST, type Json, LOOKED_AT } from './admission-house.ts';
import type { KubeAnswer } from './kube-request.ts';

/** Images of the house, by their tags; `BAD` is the one that nobody signed. */
export const APP = `${HOST}/prod/app:1`;
export const NEXT = `${HOST}/prod/app:2`;
export const SIDE = `${HOST}/prod/side:1`;
export const BAD = `${HOST}/prod/app:unsigned`;
/** Where objects of the namespace that is looked at lie. */
export const PODS = `/api/v1/namespaces/${LOOKED_AT}/pods`;
export const DEPLOYMENTS = `/apis/apps/v1/namespaces/${LOOKED_AT}/deployments`;

/** An init container's image, a sidecar's, a container's and a volume's. */
export type Places = readonly [string, string, string, string];

/** The specification of a Pod with one image in each place. */
export function specOf(images: Places): Json {
  const [setup, proxy, app, model] = images;
  return {
    automountServiceAccountToken: false,
    initContainers: [
      { name: 'setup', image: setup },
      { name: 'proxy', image: proxy, restartPolicy: 'Always' },
    ],
    containers: [{ name: 'app', image: app, volumeMounts: [{ name: 'model', mountPath: '/m' }] }],
    volumes: [{ name: 'model', image: { reference: model } }],
  };
}

/** The images of a specification, in the order of `Places`. */
export function imagesOf({
  initContainers = [],
  containers,
  volumes = [],
}: Json): readonly string[] {
  return [
    ...[...initContainers, ...containers].map(({ image }: Json) => image),
    ...volumes.flatMap(({ image }: Json) => (image === undefined ? [] : [image.reference])),
  ];
}

/** One that is let in. */
export const ALL_SIGNED: Places = [APP, SIDE, APP, NEXT];

/** The object as the API server keeps it. */
export async function stored(house: AdmissionHouse, path: string): Promise<Json> {
  const { status, body } = await house.kube.ask('GET', path);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** That our validating call refused it, in the API server's words, and said all of this. */
export function assertRefused({ status, body }: KubeAnswer, ...says: readonly string[]): void {
  assert.equal(status, 403, JSON.stringify(body));
  assert.equal(body.reason, 'Forbidden');
  assert.ok(
    body.message.startsWith('admission webhook "validate.bulla.dev" denied the request: '),
    body.message,
  );
  for (const text of says) assert.ok(body.message.includes(text), `${text} in ${body.message}`);
}

/** That it was stored. */
export function assertTaken({ status, body }: KubeAnswer): void {
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
}

/** A request to create something, by somebody with rights over workloads. */
export function post({ kube }: AdmissionHouse, object: Json, path = PODS): Promise<KubeAnswer> {
  return kube.askAs(DEV, 'POST', path, object);
}

/** Nothing that is refused here, always under this name, may stand there afterwards. */
export async function assertKeptOut(
  { kube }: AdmissionHouse,
  answer: KubeAnswer,
  says: string,
): Promise<void> {
  assertRefused(answer, says);
  assert.equal((await kube.ask('GET', `${PODS}/refused`)).status, 404);
}
