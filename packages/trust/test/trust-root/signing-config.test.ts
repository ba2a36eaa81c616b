import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { parseSigningConfig, selectServices } from '@bulla/trust/trust-root/signing-config';
import fc from 'fast-check';

const TRUST = join(import.meta.dirname, '../../../../vectors/cosign/trust');
const AT = new Date('2026-11-21T00:00:00Z');
const MEDIA_TYPE = 'application/vnd.dev.sigstore.signingconfig.v0.2+json';

const REKOR = [{ url: 'http://127.0.0.1:7003', majorApiVersion: 2 }];
const TSA = [{ url: 'http://127.0.0.1:7004/api/v1/timestamp', majorApiVersion: 1 }];

const FILES = [
  { name: 'signing_config.json', expect: { rekor: REKOR, tsa: TSA } },
  { name: 'signing_config.nolog.json', expect: { rekor: [], tsa: TSA } },
  { name: 'signing_config.notsa.json', expect: { rekor: REKOR, tsa: [] } },
  { name: 'signing_config.nosct.json', expect: { rekor: REKOR, tsa: TSA } },
  { name: 'signing_config.none.json', expect: { rekor: [], tsa: [] } },
];

for (const { name, expect } of FILES) {
  test(`${name} names ${expect.rekor.length} log(s) and ${expect.tsa.length} authority(ies)`, () => {
    const config = parseSigningConfig(readFileSync(join(TRUST, name)), name);
    assert.deepEqual(selectServices(config, AT), expect);
  });
}

function service(name: string, changes: Record<string, unknown> = {}) {
  return {
    url: `https://${name}.example`,
    majorApiVersion: 2,
    validFor: { start: '2026-01-01T00:00:00Z' },
    operator: name,
    ...changes,
  };
}

function configOf(services: readonly unknown[], selector: unknown) {
  const document = { mediaType: MEDIA_TYPE, rekorTlogUrls: services, rekorTlogConfig: selector };
  return parseSigningConfig(Buffer.from(JSON.stringify(document)), 'config');
}

const OLD = { validFor: { start: '2025-01-01T00:00:00Z', end: '2026-11-21T00:00:00Z' } };
const OVER = { validFor: { start: '2025-01-01T00:00:00Z', end: '2026-11-20T23:59:59Z' } };
const FUTURE = { validFor: { start: '2026-11-21T00:00:01Z' } };
const ANY = { selector: 'ANY' };
const ALL = { selector: 'ALL' };
const NONE = 'signing-config.no-service';

const SELECTIONS: readonly {
  name: string;
  services: readonly unknown[];
  selector: unknown;
  expect: readonly string[] | string;
}[] = [
  { name: 'ANY is one', services: [service('a'), service('b')], selector: ANY, expect: ['a'] },
  {
    name: 'ALL are all',
    services: [service('a'), service('b')],
    selector: ALL,
    expect: ['a', 'b'],
  },
  {
    name: 'the newest comes first',
    services: [service('a', OLD), service('b')],
    selector: ANY,
    expect: ['b'],
  },
  {
    name: 'an operator counts once, by its newest',
    services: [service('a', { ...OLD, operator: 'x' }), service('b', { operator: 'x' })],
    selector: ALL,
    expect: ['b'],
  },
  {
    name: 'what is over or not yet begun is left out',
    services: [service('a', OVER), service('b', FUTURE), service('c', OLD)],
    selector: ALL,
    expect: ['c'],
  },
  {
    name: 'another version is left out',
    services: [
      service('a', { majorApiVersion: 1 }),
      service('b'),
      service('c', { majorApiVersion: 3 }),
    ],
    selector: ALL,
    expect: ['b'],
  },
  {
    name: 'EXACT 2 of 3 are two',
    services: [service('a'), service('b'), service('c')],
    selector: { selector: 'EXACT', count: 2 },
    expect: ['a', 'b'],
  },
  {
    name: 'EXACT 2 of one operator is too few',
    services: [service('a', { operator: 'x' }), service('b', { operator: 'x' })],
    selector: { selector: 'EXACT', count: 2 },
    expect: NONE,
  },
  {
    name: 'Rekor v1 alone is none',
    services: [service('a', { majorApiVersion: 1 })],
    selector: ANY,
    expect: NONE,
  },
  {
    name: 'only expired ones are none',
    services: [service('a', OVER)],
    selector: ALL,
    expect: NONE,
  },
  { name: 'no service needs no selector', services: [], selector: undefined, expect: [] },
];

for (const { name, services, selector, expect } of SELECTIONS) {
  test(`of the logs of a configuration, ${name}`, () => {
    const config = configOf(services, selector);
    if (typeof expect === 'string') {
      assert.throws(() => selectServices(config, AT), { code: expect });
      return;
    }
    const urls = selectServices(config, AT).rekor.map(({ url }) => url);
    assert.deepEqual(
      urls,
      expect.map((host) => `https://${host}.example`),
    );
  });
}

const MALFORMED = 'signing-config.malformed';

const REFUSED: readonly { name: string; document: unknown; expect: string }[] = [
  { name: 'no media type', document: {}, expect: MALFORMED },
  {
    name: 'version 0.1',
    document: { mediaType: MEDIA_TYPE.replace('2', '1') },
    expect: 'signing-config.version',
  },
  {
    name: 'no selector',
    document: { mediaType: MEDIA_TYPE, tsaUrls: [service('a')] },
    expect: MALFORMED,
  },
  {
    name: 'an undefined selector',
    document: {
      mediaType: MEDIA_TYPE,
      tsaUrls: [service('a')],
      tsaConfig: { selector: 'SERVICE_SELECTOR_UNDEFINED' },
    },
    expect: MALFORMED,
  },
  {
    name: 'EXACT of nothing',
    document: {
      mediaType: MEDIA_TYPE,
      tsaUrls: [service('a')],
      tsaConfig: { selector: 'EXACT', count: 0 },
    },
    expect: MALFORMED,
  },
  ...['file:///etc', 'log.example', 'https://user@log.example', ''].map((url) => ({
    name: `the address ${JSON.stringify(url)}`,
    document: { mediaType: MEDIA_TYPE, tsaUrls: [service('a', { url })], tsaConfig: ANY },
    expect: MALFORMED,
  })),
];

for (const { name, document, expect } of REFUSED) {
  test(`a signing configuration with ${name} is refused`, () => {
    const bytes = Buffer.from(JSON.stringify(document));
    assert.throws(() => parseSigningConfig(bytes, 'config'), { code: expect });
  });
}

test('no JSON makes the parser or the selection throw anything but a fault', () => {
  const services = fc.array(
    fc.oneof(
      fc.jsonValue(),
      fc.record({ majorApiVersion: fc.nat(3) }).map((some) => service('a', some)),
    ),
    { maxLength: 3 },
  );
  const documents = fc.record({
    mediaType: fc.constant(MEDIA_TYPE),
    rekorTlogUrls: fc.oneof(services, fc.jsonValue()),
    rekorTlogConfig: fc.oneof(fc.constantFrom(ANY, ALL), fc.jsonValue()),
  });
  fc.assert(
    fc.property(fc.oneof(documents, fc.jsonValue()), (document) => {
      try {
        const bytes = Buffer.from(JSON.stringify(document));
        selectServices(parseSigningConfig(bytes, 'config'), AT);
      } catch (error) {
        assert.ok(error instanceof TrustFault);
      }
    }),
    { numRuns: 1000 },
  );
});
