import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { requirePeer } from '../../../../../test/peers.ts';
import { ensureLocalCa } from '../../../src/http/tls/local-ca.ts';
import { faultOf } from '../../storage/expectations.ts';
import { pemFolder } from './mint.ts';

const run = promisify(execFile);
const AT = new Date();
const later = (days: number) => new Date(AT.getTime() + days * 86_400_000);
const NAMES = ['bulla.example', '10.1.2.3', 'fd00::1'];

test('OpenSSL accepts the certificate for each name, strictly, and for no other', async (t) => {
  const openssl = requirePeer(t, 'openssl');
  if (openssl === null) return;
  await using folder = await pemFolder();
  const { caFile, certificateFile, keyFile } = await ensureLocalCa({
    folder: folder.path,
    names: NAMES,
    at: AT,
  });
  const verify = (...names: string[]) =>
    run(openssl, [
      'verify',
      ...['-x509_strict', '-purpose', 'sslserver', '-CAfile', caFile, '-no-CApath', ...names],
      certificateFile,
    ]);
  for (const host of ['localhost', 'bulla.example']) await verify('-verify_hostname', host);
  for (const ip of ['127.0.0.1', '::1', '10.1.2.3', 'fd00::1']) await verify('-verify_ip', ip);
  await assert.rejects(verify('-verify_hostname', 'other.example'));
  await assert.rejects(verify('-verify_ip', '10.1.2.4'));
  const { stdout: key } = await run(openssl, ['pkey', '-in', keyFile, '-noout', '-text']);
  assert.match(key, /P-256/);
  const { stdout } = await run(openssl, ['x509', '-in', caFile, '-noout', '-text']);
  assert.match(stdout, /Name Constraints: critical\s+Permitted:\s+DNS:localhost/);
  assert.match(stdout, /CA:TRUE, pathlen:0/);
});

test('a certificate that the CA signs for another name is refused by OpenSSL', async (t) => {
  const openssl = requirePeer(t, 'openssl');
  if (openssl === null) return;
  await using folder = await pemFolder();
  const { caFile } = await ensureLocalCa({ folder: folder.path, at: AT });
  const file = (name: string) => join(folder.path, name);
  // Whoever steals the CA's key.
  const steal = async (names: string) => {
    await writeFile(file('names.cnf'), `subjectAltName=${names}\n`);
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    const subject = ['-subj', '/CN=thief', '-nodes', ...curve];
    await run(openssl, ['req', ...subject, '-keyout', file('k.pem'), '-out', file('r.pem')]);
    const by = ['-CA', caFile, '-CAkey', file('ca-key.pem'), '-CAcreateserial'];
    const out = ['-extfile', file('names.cnf'), '-out', file('t.pem')];
    await run(openssl, ['x509', '-req', '-in', file('r.pem'), ...by, ...out]);
    return run(openssl, ['verify', '-CAfile', caFile, '-no-CApath', file('t.pem')]);
  };
  await steal('DNS:localhost');
  await assert.rejects(steal('DNS:registry.example'), /permitted subtree violation/);
  await assert.rejects(steal('IP:192.0.2.1'), /permitted subtree violation/);
});

test('keys are readable by their owner only, and nothing is left beside the files', async () => {
  await using folder = await pemFolder();
  const nested = join(folder.path, 'tls');
  await ensureLocalCa({ folder: nested, at: AT });
  const modes = await Promise.all(
    ['ca-key.pem', 'ca.pem', 'server-key.pem', 'server.pem', '.'].map(
      async (name) => (await stat(join(nested, name))).mode & 0o777,
    ),
  );
  assert.deepEqual(modes, [0o600, 0o644, 0o600, 0o644, 0o700]);
  assert.equal((await readdir(nested)).length, 4);
});

const AGAIN: readonly {
  readonly name: string;
  readonly change?: (folder: string) => Promise<void>;
  readonly names?: readonly string[];
  readonly days?: number;
  readonly expect: 'authority' | 'certificate' | 'nothing';
}[] = [
  { name: 'the next day', days: 1, expect: 'nothing' },
  { name: 'the names in another order', names: NAMES.toReversed(), expect: 'nothing' },
  {
    name: 'names in upper case',
    names: NAMES.map((name) => name.toUpperCase()),
    expect: 'nothing',
  },
  { name: 'with 31 days left', days: 59, expect: 'nothing' },
  { name: 'with under 30 days left', days: 60.1, expect: 'certificate' },
  { name: 'years later', days: 3000, expect: 'certificate' },
  { name: 'when the CA itself is about to end', days: 3600, expect: 'authority' },
  { name: 'with a clock that went back', days: -10, expect: 'authority' },
  { name: 'with another name', names: [...NAMES, 'new.example'], expect: 'authority' },
  { name: 'with a name less', names: NAMES.slice(1), expect: 'authority' },
  {
    name: 'without the certificate',
    change: (folder) => rm(join(folder, 'server.pem')),
    expect: 'certificate',
  },
  {
    name: 'with another key, as after a crash between two files',
    change: async (folder) =>
      writeFile(join(folder, 'server-key.pem'), await readFile(join(folder, 'ca-key.pem'))),
    expect: 'certificate',
  },
  {
    name: 'with half a certificate',
    change: async (folder) => {
      const whole = await readFile(join(folder, 'server.pem'), 'utf8');
      await writeFile(join(folder, 'server.pem'), whole.slice(0, 300));
    },
    expect: 'certificate',
  },
  {
    name: 'without the key of the CA',
    change: (folder) => rm(join(folder, 'ca-key.pem')),
    expect: 'authority',
  },
  {
    name: 'with an empty CA',
    change: (folder) => writeFile(join(folder, 'ca.pem'), ''),
    expect: 'authority',
  },
];

for (const { name, change, names = NAMES, days = 0, expect } of AGAIN) {
  test(`${name}, ${expect} is made anew`, async () => {
    await using folder = await pemFolder();
    const first = await ensureLocalCa({ folder: folder.path, names: NAMES, at: AT });
    assert.equal(first.made, 'authority');
    await change?.(folder.path);
    const again = await ensureLocalCa({ folder: folder.path, names, at: later(days) });
    assert.equal(again.made, expect);
    assert.equal(again.caSha256 === first.caSha256, expect !== 'authority');
    const settled = await ensureLocalCa({ folder: folder.path, names, at: later(days) });
    assert.equal(settled.made, 'nothing');
    assert.ok(settled.notAfter >= later(days + 30));
  });
}

for (const name of [
  'a b',
  '*.example',
  'a..b',
  'ü.example',
  'a/b',
  '',
  `${'a'.repeat(64)}.example`,
]) {
  test(`the name ${JSON.stringify(name)} is http.tls-invalid`, async () => {
    await using folder = await pemFolder();
    const made = ensureLocalCa({ folder: folder.path, names: [name], at: AT });
    await assert.rejects(made, faultOf('http.tls-invalid'));
  });
}

test('a folder that is a file is http.tls-invalid', async () => {
  await using folder = await pemFolder();
  const file = await folder.write('file', '');
  await chmod(file, 0o600);
  await assert.rejects(ensureLocalCa({ folder: file, at: AT }), faultOf('http.tls-invalid'));
});
