import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { type PostgresAddress, readAddress } from '../../../src/storage/postgres/address.ts';
import { temporaryFolder } from '../rooms.ts';

const CHECKED = { rejectUnauthorized: true };

const READ: readonly {
  readonly name: string;
  readonly url: string;
  readonly expect: Partial<PostgresAddress>;
}[] = [
  {
    name: 'all parts',
    url: 'postgresql://ann:p%40ss%2Fw@db.example:6432/bulla',
    expect: { user: 'ann', password: 'p@ss/w', host: 'db.example', port: 6432, database: 'bulla' },
  },
  { name: 'the default port', url: 'postgres://ann@db.example/bulla', expect: { port: 5432 } },
  {
    name: 'a host elsewhere is reached by TLS, its name checked',
    url: 'postgresql://ann@db.example/bulla',
    expect: { ssl: { ...CHECKED, servername: 'db.example' } },
  },
  {
    name: 'require checks as well',
    url: 'postgresql://ann@db.example/bulla?sslmode=require',
    expect: { ssl: { ...CHECKED, servername: 'db.example' } },
  },
  {
    name: 'an address has no server name',
    url: 'postgresql://ann@192.0.2.1/bulla',
    expect: { host: '192.0.2.1', ssl: CHECKED },
  },
  {
    name: 'who says so goes without',
    url: 'postgresql://ann@db.example/bulla?sslmode=disable',
    expect: { ssl: false },
  },
  { name: 'loopback', url: 'postgresql://ann@127.0.0.1/bulla', expect: { ssl: false } },
  {
    name: 'loopback of IPv6',
    url: 'postgresql://ann@[::1]/bulla',
    expect: { host: '::1', ssl: false },
  },
  {
    name: 'loopback by TLS',
    url: 'postgresql://ann@localhost/bulla?sslmode=verify-full',
    expect: { ssl: { ...CHECKED, servername: 'localhost' } },
  },
  {
    name: 'a Unix socket',
    url: 'postgresql:///bulla?host=/run/postgresql&user=ann&port=5433',
    expect: { host: '/run/postgresql', user: 'ann', port: 5433, ssl: false },
  },
];

for (const { name, url, expect } of READ) {
  test(name, async () => {
    const found = await readAddress(url);
    assert.deepEqual({ ...found, ...expect }, found);
    assert.ok(!found.shown.includes('p@ss') && !found.shown.includes('p%40ss'), found.shown);
  });
}

const REFUSED: readonly { readonly name: string; readonly url: string }[] = [
  { name: 'no URL', url: 'host=db.example password=hunter2' },
  { name: 'another protocol', url: 'mysql://ann:hunter2@db.example/bulla' },
  { name: 'no user', url: 'postgresql://db.example/bulla' },
  { name: 'no database', url: 'postgresql://ann:hunter2@db.example/' },
  { name: 'two databases', url: 'postgresql://ann:hunter2@db.example/a/b' },
  { name: 'no host', url: 'postgresql:///bulla?user=ann' },
  { name: 'a port that is none', url: 'postgresql:///bulla?host=/run&user=ann&port=0' },
  { name: 'TLS that may fall back', url: 'postgresql://ann:hunter2@db.example/a?sslmode=prefer' },
  { name: 'TLS unchecked', url: 'postgresql://ann:hunter2@db.example/a?sslmode=no-verify' },
  { name: 'an unknown parameter', url: 'postgresql://ann:hunter2@db.example/a?ssl=0' },
  {
    name: 'authorities that are not there',
    url: 'postgresql://ann@db.example/a?sslrootcert=/no/file',
  },
  { name: 'a percent sign alone', url: 'postgresql://ann:hunter2%@db.example/a' },
];

for (const { name, url } of REFUSED) {
  test(`${name} is refused, and the password is not told`, async () => {
    await assert.rejects(readAddress(url), (error: unknown) => {
      assert.ok(error instanceof TrustFault);
      assert.equal(error.code, 'storage.address-invalid');
      assert.ok(!error.message.includes('hunter2'), error.message);
      return true;
    });
  });
}

test('the files of TLS are read', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'some.pem');
  await writeFile(file, 'PEM');
  const query = `sslrootcert=${file}&sslcert=${file}&sslkey=${file}`;
  const { ssl } = await readAddress(`postgresql://ann@192.0.2.1/bulla?${query}`);
  assert.deepEqual(ssl, { ...CHECKED, ca: 'PEM', cert: 'PEM', key: 'PEM' });
});
