import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { configCheck, missingLine } from '../../src/config/check.ts';
import { loadConfig } from '../../src/config/load.ts';
import { faultOf } from '../storage/expectations.ts';

async function withFile(text: string, run: (file: string, folder: string) => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-config-'));
  try {
    const file = join(folder, 'bulla.yaml');
    await writeFile(file, text);
    await run(file, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('a file is loaded, with its folder as the start of paths', async () => {
  await withFile('data: here', async (file, folder) => {
    const { config, warnings } = await loadConfig(file, {});
    assert.equal(config.data, join(folder, 'here'));
    assert.deepEqual(warnings, []);
  });
});

test('a file that is not there is config.unreadable', async () => {
  await withFile('', async (_file, folder) => {
    const gone = join(folder, 'gone.yaml');
    await assert.rejects(loadConfig(gone, {}), faultOf('config.unreadable'));
    await assert.rejects(configCheck(gone, {}), faultOf('config.unreadable'));
  });
});

test('a fault has the first problem’s code and every problem’s line', async () => {
  await withFile('dat: x\nlog: { level: loud }\n', async (file) => {
    await assert.rejects(loadConfig(file, {}), (error) => {
      faultOf('config.unknown-member')(error);
      assert.ok(error instanceof Error);
      assert.match(error.message, /bulla\.yaml:1:1: [\s\S]*\n.*bulla\.yaml:2:15: /);
      return true;
    });
  });
});

test('the check names files that cannot be read, and shows no secret', async () => {
  const text = [
    'policies: [bulla.yaml, no/policy.yaml]',
    'trustRoots: { acme: { file: no/root.json } }',
    'listen: [{ url: "https://127.0.0.1", tls: { certificate: no/c.pem, key: bulla.yaml } }]',
    'gateway: { upstreams: [{ prefix: a, registry: b.example, ca: no/ca.pem }] }',
    'metrics: { tokenEnv: TOKEN }',
  ].join('\n');
  await withFile(text, async (file, folder) => {
    const check = await configCheck(file, { TOKEN: 'abcdefghijklmnopqrst' });
    assert.equal(check.valid, false);
    assert.deepEqual(
      check.missing.map(({ member }) => member),
      [
        'policies[1]',
        'trustRoots.acme.file',
        'gateway.upstreams[0].ca',
        'listen[0].tls.certificate',
      ],
    );
    assert.equal(check.missing[0]?.path, join(folder, 'no/policy.yaml'));
    assert.doesNotMatch(JSON.stringify(check), /abcdefghij/);
    assert.match(check.missing.map(missingLine).join('\n'), /^config\.unreadable: policies\[1\]/);
  });
  await withFile('policies: [bulla.yaml]', async (file) => {
    assert.equal((await configCheck(file, {})).valid, true);
  });
});
