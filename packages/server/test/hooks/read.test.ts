import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cursor } from '@bulla/trust/bytes/shape';
import { TrustFault } from '@bulla/trust/fault/fault';
import { computeDigest } from '@bulla/trust/oci/digest';
import fc from 'fast-check';
import { readDistribution } from '../../src/hooks/distribution.ts';
import { readHarbor } from '../../src/hooks/harbor.ts';
import { subjectOf, type Told } from '../../src/hooks/push.ts';
import { readZot } from '../../src/hooks/zot.ts';
import {
  distributionEvent,
  harborCloudEvent,
  harborEvent,
  zotData,
  zotHeaders,
  zotStructured,
} from './events.ts';

const DIGEST = computeDigest(Buffer.from('image'));
const TAGGED = { registry: 'registry.example', repository: 'team/app', tag: 'v1', digest: DIGEST };
const UNTAGGED = { ...TAGGED, tag: null };
const at = (value: unknown) => cursor(value, '', 'hooks.malformed');
const zotType = (type?: string) => zotHeaders(type)['ce-type'];

const own = { repository: 'team/app', tag: 'v1', host: 'registry.example' };

const CASES: readonly (readonly [string, () => Told, Told])[] = [
  [
    'distribution: a tag',
    () => readDistribution(at(distributionEvent(TAGGED))),
    { pushes: [own], ignored: 1 },
  ],
  [
    'distribution: a digest',
    () => readDistribution(at(distributionEvent(UNTAGGED))),
    { pushes: [{ ...own, tag: null }], ignored: 1 },
  ],
  [
    'distribution: a pull, a mount, a deletion, and what has another form',
    () => {
      const [, manifest] = distributionEvent(TAGGED).events;
      const deleted = { action: 'delete', target: { digest: DIGEST, repository: 'team/app' } };
      const events = [
        { ...manifest, action: 'pull' },
        { ...manifest, action: 'mount' },
        deleted,
        { action: 'push', target: { repository: 'x' } },
      ];
      return readDistribution(at({ events }));
    },
    { pushes: [], ignored: 4 },
  ],
  ['Harbor: a tag', () => readHarbor(at(harborEvent(TAGGED))), { pushes: [own], ignored: 0 }],
  [
    'Harbor: a digest',
    () => readHarbor(at(harborEvent(UNTAGGED))),
    { pushes: [{ ...own, tag: null }], ignored: 0 },
  ],
  [
    'Harbor: a pull',
    () => readHarbor(at(harborEvent(TAGGED, 'PULL_ARTIFACT'))),
    { pushes: [], ignored: 1 },
  ],
  [
    'Harbor: CloudEvents',
    () => readHarbor(at(harborCloudEvent(TAGGED))),
    { pushes: [own], ignored: 0 },
  ],
  [
    'Harbor: CloudEvents of a scan',
    () => readHarbor(at(harborCloudEvent(TAGGED, 'harbor.scan.completed'))),
    { pushes: [], ignored: 1 },
  ],
  [
    'zot: a tag',
    () => readZot(at(zotData(TAGGED)), zotType()),
    { pushes: [{ ...own, host: null }], ignored: 0 },
  ],
  [
    'zot: a digest',
    () => readZot(at(zotData(UNTAGGED)), zotType()),
    { pushes: [{ ...own, tag: null, host: null }], ignored: 0 },
  ],
  [
    'zot: a prefix of its own',
    () => readZot(at(zotData(TAGGED)), zotType('com.example.registry.image.updated')),
    { pushes: [{ ...own, host: null }], ignored: 0 },
  ],
  [
    'zot: a deletion',
    () => readZot(at(zotData(TAGGED)), zotType('zotregistry.image.deleted')),
    { pushes: [], ignored: 1 },
  ],
  [
    'zot: structured',
    () => readZot(at(zotStructured(TAGGED)), undefined),
    { pushes: [{ ...own, host: null }], ignored: 0 },
  ],
];

describe('events as the products send them', () => {
  for (const [name, read, told] of CASES) test(name, () => assert.deepEqual(read(), told));
});

describe('what is no event is hooks.malformed, and nothing else is thrown', () => {
  const readers = [
    ['distribution', readDistribution],
    ['Harbor', readHarbor],
    ['zot', (one: ReturnType<typeof at>) => readZot(one, undefined)],
    ['zot, binary', (one: ReturnType<typeof at>) => readZot(one, 'zotregistry.image.updated')],
  ] as const;
  for (const [name, read] of readers) {
    test(name, () => {
      for (const value of [null, [], '', 7, {}]) {
        assert.throws(
          () => read(at(value)),
          (error) => error instanceof TrustFault && error.code === 'hooks.malformed',
        );
      }
      const anything = fc.anything({ withNullPrototype: true });
      fc.assert(
        fc.property(anything, (value) => {
          try {
            read(at(value));
          } catch (error) {
            assert.ok(error instanceof TrustFault && error.code === 'hooks.malformed');
          }
        }),
      );
    });
  }
});

test('the tags of signatures and referrers are about the digest in them', () => {
  const hex = DIGEST.slice('sha256:'.length);
  for (const [tag, subject] of [
    [`sha256-${hex}.sig`, DIGEST],
    [`sha256-${hex}.att`, DIGEST],
    [`sha256-${hex}`, DIGEST],
    [`sha256-${hex.slice(1)}.sig`, null],
    [`sha512-${hex}.sig`, null],
    ['v1', null],
    [`sha256-${hex}.sig.old`, null],
  ] as const) {
    assert.equal(subjectOf(tag), subject, tag);
  }
});
