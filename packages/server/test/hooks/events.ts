import type { Digest } from '@bulla/trust/oci/digest';

/** What an event is about. */
export interface Pushed {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: Digest;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/**
 * An envelope as CNCF distribution sends it (distribution, docs/content/about/notifications.md; the
 * members and their order are those of notifications/event.go): the manifest, and a layer before it.
 */
export function distributionEvent({ registry, repository, tag, digest }: Pushed) {
  const about = {
    request: {
      id: '6df24a34-0959-4923-81ca-14f09767db19',
      addr: '192.168.64.11:42961',
      host: registry,
      method: 'PUT',
      useragent: 'skopeo/1.9',
    },
    actor: { name: 'ci' },
    source: { addr: 'node-1:5000', instanceID: 'a53db899-3b4b-4a62-a067-8dd013beaca4' },
  };
  const layer = {
    id: '320678d8-ca14-430f-8bb6-4ca139cd83f6',
    timestamp: '2026-11-21T14:44:26.4Z',
    action: 'push',
    target: {
      mediaType: 'application/octet-stream',
      size: 708,
      digest,
      length: 708,
      repository,
      url: `https://${registry}/v2/${repository}/blobs/${digest}`,
    },
    ...about,
  };
  const manifest = {
    ...layer,
    id: '320678d8-ca14-430f-8bb6-4ca139cd83f7',
    target: {
      mediaType: MANIFEST,
      size: 708,
      digest,
      length: 708,
      repository,
      url: `https://${registry}/v2/${repository}/manifests/${digest}`,
      ...(tag === null ? {} : { tag }),
    },
  };
  return { events: [layer, manifest] };
}

/** `event_data` of Harbor (goharbor/harbor, src/pkg/notifier/model/event.go). */
function harborData({ registry, repository, tag, digest }: Pushed) {
  const [namespace = '', ...rest] = repository.split('/');
  return {
    resources: [
      {
        digest,
        // Without a tag Harbor writes the digest there (src/pkg/notifier/formats/default.go).
        tag: tag ?? digest,
        resource_url: `${registry}/${repository}${tag === null ? `@${digest}` : `:${tag}`}`,
      },
    ],
    repository: {
      date_created: 1677053165,
      name: rest.join('/'),
      namespace,
      repo_full_name: repository,
      repo_type: 'private',
    },
  };
}

/** Harbor's format `Default` (src/pkg/notifier/formats/default.go). */
export function harborEvent(pushed: Pushed, type = 'PUSH_ARTIFACT') {
  return { type, occur_at: 1678082303, operator: 'admin', event_data: harborData(pushed) };
}

/** Harbor's format `CloudEvents` (src/pkg/notifier/formats/cloudevents.go). */
export function harborCloudEvent(pushed: Pushed, type = 'harbor.artifact.pushed') {
  return {
    specversion: '1.0',
    requestid: '2eedfab8-61d3-4f3c-8ec3-8f82d1ec4c84',
    id: '4b2f89a6-548d-4c12-9993-a1f5790b97d2',
    source: '/projects/1/webhook/policies/3',
    type,
    datacontenttype: 'application/json',
    time: '2023-03-06T06:08:43Z',
    data: harborData(pushed),
    operator: 'admin',
  };
}

/** The data of zot's `image.updated` (project-zot/zot, pkg/extensions/events/events.go). */
export function zotData({ repository, tag, digest }: Pushed) {
  return {
    name: repository,
    reference: tag ?? digest,
    digest,
    mediaType: MANIFEST,
    manifest: '{"schemaVersion":2}',
  };
}

/** Headers of CloudEvents in binary mode, as cloudevents/sdk-go sends what zot builds (builder.go). */
export function zotHeaders(type = 'zotregistry.image.updated') {
  return {
    'ce-specversion': '1.0',
    'ce-id': '0d3b7b8e-8c51-4a2e-9df0-90ee8c5f5d0f',
    'ce-source': 'zotregistry.dev',
    'ce-type': type,
    'ce-time': '2026-11-21T14:44:26.4Z',
    'content-type': 'application/json',
  };
}

/** The same in structured mode. */
export function zotStructured(pushed: Pushed, type = 'zotregistry.image.updated') {
  return {
    specversion: '1.0',
    id: '0d3b7b8e-8c51-4a2e-9df0-90ee8c5f5d0f',
    source: 'zotregistry.dev',
    type,
    datacontenttype: 'application/json',
    time: '2026-11-21T14:44:26.4Z',
    data: zotData(pushed),
  };
}
