import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { violations } from '../../../../journeys/json-schema.ts';
import { bulla, vector } from './run.ts';

async function schemaOf(name: string) {
  const path = new URL(`../../../../docs/schemas/${name}.schema.json`, import.meta.url);
  return JSON.parse(await readFile(path, 'utf8'));
}

test('JSON output is what its published schema says', async (t) => {
  await using registry = await startRegistry({ storage: 'memory' });
  const multi = `oci:${vector('oci/cosign-multiarch')}:recursive`;
  const legacy = `oci:${vector('oci/cosign-key-legacy')}:p256`;
  const image = `${registry.host}/app:v1`;
  const copied = await bulla(['copy', multi, image]);
  assert.equal(copied.code, 0, copied.err);
  const cases = [
    { schema: 'tree', args: ['tree', image] },
    { schema: 'tree', args: ['tree', legacy] },
    { schema: 'inspect', args: ['inspect', image] },
    { schema: 'inspect', args: ['inspect', legacy] },
    { schema: 'inspect', args: ['inspect', vector('keys/p256.pub')] },
    { schema: 'doctor', args: ['doctor', 'registry', registry.host] },
    { schema: 'doctor', args: ['doctor', 'registry', `${registry.host}/app`, '--write'] },
    { schema: 'doctor', args: ['doctor', 'registry', '127.0.0.1:1'] },
  ];
  for (const { schema, args } of cases) {
    await t.test(args.join(' ').replaceAll(registry.host, 'HOST'), async () => {
      const { out, err } = await bulla([...args, '-o', 'json']);
      assert.notEqual(out, '', err);
      const published = await schemaOf(schema);
      const document = JSON.parse(out);
      assert.deepEqual(violations(published, document), []);
      assert.notDeepEqual(violations(published, { ...document, more: 1 }), []);
    });
  }
});
