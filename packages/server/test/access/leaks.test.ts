import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { OPERATOR } from '../../src/access/actor.ts';
import { parseScopeParameters } from '../../src/access/registry-scope.ts';
import { PASSWORD, setUp } from './setting.ts';

it('no secret is in the database’s files, nor what could be used in its place', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-access-'));
  try {
    await using setting = await setUp({}, join(folder, 'bulla.db'));
    const { access } = setting;
    const first = await access.firstStart();
    const { link: unused } = await access.addUser(OPERATOR, { name: 'max', role: 'viewer' });
    const session = await access.useLink({
      link: first?.link.secret ?? '',
      name: 'olga',
      password: PASSWORD,
    });
    const subject = await access.ofPassword({
      name: 'olga',
      password: PASSWORD,
      address: '192.0.2.1',
    });
    const asked = parseScopeParameters(['repository:app:pull']);
    const { token } = await access.issueRegistryToken(subject, asked);
    const wrong = 'a wrong tapir walnut';
    const signIn = access.signIn({ name: 'olga', password: wrong, address: '192.0.2.1' });
    await assert.rejects(signIn, { code: 'access.credentials-invalid' });
    const secrets = {
      password: PASSWORD,
      wrong,
      link: first?.link.secret,
      unused: unused.secret,
      push: first?.pushToken.secret,
      session: session.secret,
      registry: token,
    };
    const names = await readdir(folder);
    assert.ok(names.includes('bulla.db'));
    const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'latin1')));
    const text = files.join('\n');
    // What is kept is there: the scan looks at the right files.
    assert.ok(text.includes('olga'));
    assert.ok(text.includes('$argon2id$'));
    for (const [name, secret] of Object.entries(secrets)) {
      assert.ok(secret !== undefined && secret.length > 10, name);
      assert.ok(!text.includes(secret), name);
      const hex = Buffer.from(secret).toString('hex');
      assert.ok(!text.includes(hex), name);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
