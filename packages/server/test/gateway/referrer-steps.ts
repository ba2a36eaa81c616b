import { digestOf, manifestOf, OCI_INDEX, OCI_MANIFEST } from './client.ts';
import {
  blob,
  IMAGE,
  IMAGE_DIGEST,
  INDEX_REFERRER,
  LAYER,
  LAYER_DIGEST,
  MISSING,
  manifest,
  oci,
  PLAIN_REFERRER,
  SIGNATURE,
  type Step,
  stored,
} from './step.ts';

/** Referrers and deletions, after the steps of manifests. */
export const REFERRER_STEPS: readonly Step[] = [
  {
    name: 'end-7a with a subject',
    method: 'PUT',
    path: manifest(digestOf(SIGNATURE)),
    headers: oci,
    body: SIGNATURE,
    expect: { status: 201, headers: { 'oci-subject': IMAGE_DIGEST } },
  },
  {
    name: 'end-7a with a subject and no artifact type',
    method: 'PUT',
    path: manifest('plain'),
    headers: oci,
    body: PLAIN_REFERRER,
    expect: { status: 201, headers: { 'oci-subject': IMAGE_DIGEST } },
  },
  {
    name: 'end-7a of an index with a subject',
    method: 'PUT',
    path: manifest('index'),
    headers: { 'content-type': OCI_INDEX },
    body: INDEX_REFERRER,
    expect: { status: 201, headers: { 'oci-subject': IMAGE_DIGEST } },
  },
  {
    name: 'end-7a with a subject that is not there',
    method: 'PUT',
    path: manifest('early'),
    headers: oci,
    body: manifestOf({ subject: MISSING }),
    expect: { status: 201, headers: { 'oci-subject': MISSING } },
  },
  {
    name: 'end-12b filtered',
    path: `/v2/app/referrers/${IMAGE_DIGEST}?artifactType=application/vnd.example.sig`,
    expect: {
      status: 200,
      headers: { ...stored, 'oci-filters-applied': 'artifactType' },
      body: JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [
          {
            mediaType: OCI_MANIFEST,
            digest: digestOf(SIGNATURE),
            size: SIGNATURE.length,
            artifactType: 'application/vnd.example.sig',
            annotations: { signer: 'a' },
          },
        ],
      }),
    },
  },
  {
    name: 'end-12b filtered by the type of the config',
    path: `/v2/app/referrers/${IMAGE_DIGEST}?artifactType=application/vnd.oci.empty.v1%2Bjson`,
    expect: {
      status: 200,
      body: JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [
          {
            mediaType: OCI_MANIFEST,
            digest: digestOf(PLAIN_REFERRER),
            size: PLAIN_REFERRER.length,
            artifactType: 'application/vnd.oci.empty.v1+json',
          },
        ],
      }),
    },
  },
  {
    name: 'end-12a of what is no digest',
    path: '/v2/app/referrers/v1',
    expect: { status: 400, error: 'DIGEST_INVALID' },
  },
  { name: 'end-9 a tag', method: 'DELETE', path: manifest('v5'), expect: { status: 202 } },
  {
    name: 'end-9 a tag again',
    method: 'DELETE',
    path: manifest('v5'),
    expect: { status: 404, error: 'MANIFEST_UNKNOWN' },
  },
  {
    name: 'what the tag pointed to is still there',
    path: manifest(IMAGE_DIGEST),
    expect: { status: 200, body: IMAGE },
  },
  {
    name: 'end-9 a referrer',
    method: 'DELETE',
    path: manifest(digestOf(SIGNATURE)),
    expect: { status: 202 },
  },
  {
    name: 'it is not listed any more',
    path: `/v2/app/referrers/${IMAGE_DIGEST}?artifactType=application/vnd.example.sig`,
    expect: { status: 200, body: `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[]}` },
  },
  {
    name: 'end-9 by digest',
    method: 'DELETE',
    path: manifest(IMAGE_DIGEST),
    expect: { status: 202 },
  },
  {
    name: 'its tags are gone',
    path: manifest('v1'),
    expect: { status: 404, error: 'MANIFEST_UNKNOWN' },
  },
  {
    name: 'also from the list',
    path: '/v2/app/tags/list',
    expect: { status: 200, body: '{"name":"app","tags":["early","index","plain"]}' },
  },
  {
    name: 'end-9 of an unknown repository',
    method: 'DELETE',
    path: `/v2/nope/manifests/${IMAGE_DIGEST}`,
    expect: { status: 404, error: 'NAME_UNKNOWN' },
  },
  { name: 'end-10', method: 'DELETE', path: blob(LAYER_DIGEST), expect: { status: 202 } },
  {
    name: 'end-10 again',
    method: 'DELETE',
    path: blob(LAYER_DIGEST),
    expect: { status: 404, error: 'BLOB_UNKNOWN' },
  },
  {
    name: 'the other repository still has it',
    path: `/v2/other/blobs/${LAYER_DIGEST}`,
    expect: { status: 200, body: LAYER },
  },
  {
    name: 'another method',
    method: 'POST',
    path: manifest('v1'),
    expect: { status: 405, error: 'UNSUPPORTED', headers: { allow: 'GET, HEAD, PUT, DELETE' } },
  },
  {
    name: 'an unknown path below /v2',
    path: '/v2/app/unknown',
    expect: { status: 404, error: 'UNSUPPORTED' },
  },
  {
    name: 'a repository called like an endpoint',
    method: 'POST',
    path: '/v2/blobs/uploads/manifests/blobs/uploads/',
    expect: {
      status: 202,
      headers: { location: /^\/v2\/blobs\/uploads\/manifests\/blobs\/uploads\/[0-9a-f-]{36}$/ },
    },
  },
];
