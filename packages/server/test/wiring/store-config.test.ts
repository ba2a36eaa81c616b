import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { storeConfig } from '../../src/wiring/store-config.ts';

const URL = 'postgres://bulla@db.example/bulla';

const CASES: readonly (readonly [storage: string, store: object])[] = [
  ['{ tables: memory }', { store: 'memory' }],
  ['{ tables: embedded }', { store: 'embedded', folder: '/etc/bulla/bulla-data' }],
  [
    '{ objects: { folder: /mnt/blobs } }',
    { store: 'embedded', folder: '/etc/bulla/bulla-data', objectsFolder: '/mnt/blobs' },
  ],
  [
    `{ tables: { postgres: { url: "${URL}", poolSize: 3 } }, objects: { folder: /mnt/blobs } }`,
    { store: 'postgres', url: URL, poolSize: 3, folder: '/mnt/blobs' },
  ],
  [
    `{ tables: { postgres: { url: "${URL}" } } }`,
    { store: 'postgres', url: URL, poolSize: 10, folder: '/etc/bulla/bulla-data/shared' },
  ],
];

for (const [storage, store] of CASES) {
  test(`storage: ${storage}`, () => {
    const text = Buffer.from(`storage: ${storage}\n`);
    const { config, problems } = parseConfig(text, '/etc/bulla/bulla.yaml', {});
    assert.deepEqual(problems, []);
    assert.ok(config !== null);
    assert.deepEqual(storeConfig(config).config, store);
  });
}
