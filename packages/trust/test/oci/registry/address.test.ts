import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { isPublicAddress, namedHosts } from '@bulla/trust/oci/registry/address';
import { createHttpClient } from '@bulla/trust/oci/registry/http';
import { sample } from '../sample.ts';
import { answer, options, scripted } from './scripted.ts';

describe('isPublicAddress', () => {
  const cases = [
    { address: '93.184.215.14', expect: true },
    { address: '2606:2800:21f:cb07::1', expect: true },
    { address: '64:ff9b::5db8:d70e', expect: true },
    { address: '172.32.0.1', expect: true },
    { address: '127.0.0.1', expect: false },
    { address: '127.255.255.254', expect: false },
    { address: '0.0.0.0', expect: false },
    { address: '169.254.169.254', expect: false },
    { address: '100.100.100.200', expect: false },
    { address: '10.1.2.3', expect: false },
    { address: '172.31.255.255', expect: false },
    { address: '192.168.0.1', expect: false },
    { address: '192.0.0.192', expect: false },
    { address: '255.255.255.255', expect: false },
    { address: '::', expect: false },
    { address: '::1', expect: false },
    { address: '::ffff:127.0.0.1', expect: false },
    { address: '::ffff:a9fe:a9fe', expect: false },
    { address: '::127.0.0.1', expect: false },
    { address: '64:ff9b::7f00:1', expect: false },
    { address: '2002:a9fe:a9fe::1', expect: false },
    { address: 'fd00:ec2::254', expect: false },
    { address: 'fe80::1', expect: false },
    { address: 'fe80::1%lo', expect: false },
    { address: 'ff02::1', expect: false },
  ];
  for (const { address, expect } of cases) {
    it(`${address} is ${expect ? '' : 'not '}public`, () => {
      assert.equal(isPublicAddress(address), expect);
    });
  }
});

describe('namedHosts', () => {
  const cases = [
    { named: ['127.0.0.1:5000'], host: 'localhost', expect: true },
    { named: ['localhost'], host: '[::1]', expect: true },
    { named: ['Registry.Example:5000'], host: 'registry.example', expect: true },
    { named: ['[fd00::1]:5000'], host: '[fd00::1]', expect: true },
    { named: ['registry.example'], host: 'localhost', expect: false },
    { named: ['registry.example'], host: 'storage.registry.example', expect: false },
    { named: ['127.0.0.1.example'], host: '127.0.0.1', expect: false },
    { named: [], host: '127.0.0.1', expect: false },
  ];
  for (const { named, host, expect } of cases) {
    it(`${host} beside ${named.join() || 'nothing'}: ${expect}`, () => {
      assert.equal(namedHosts(named)(host), expect);
    });
  }
});

describe('a registry must not lead to an address that nobody named', () => {
  const LEADS = [
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/',
    'http://[::ffff:169.254.169.254]/',
    'http://2852039166/',
  ];
  for (const location of LEADS) {
    it(`by a redirect to ${location}`, async () => {
      await using server = await scripted((_, r) => answer(r, 307, { location }));
      await assert.rejects(server.store().manifest('v1'), { code: 'registry.address' });
    });
    it(`by the address of an upload, ${location}`, async () => {
      await using server = await scripted((one, r) =>
        one.method === 'POST' ? answer(r, 202, { location }) : answer(r, 404),
      );
      const blob = sample(Buffer.from('x'), 'text/plain');
      await assert.rejects(server.store().putBlob(blob, blob.bytes), { code: 'registry.address' });
    });
    it(`by its token service, ${location}`, async () => {
      await using server = await scripted((_, r) =>
        answer(r, 401, { 'www-authenticate': `Bearer realm="${location}"` }),
      );
      await assert.rejects(server.store().manifest('v1'), { code: 'registry.address' });
    });
  }
  it('by a name that resolves to one, and nothing is sent there', async () => {
    await using local = await scripted((_, r) => answer(r, 200));
    const client = createHttpClient(options(), namedHosts(['registry.example']));
    const url = new URL(`http://localhost:${local.host.split(':')[1]}/`);
    await assert.rejects(client.send({ method: 'GET', url }), { code: 'registry.address' });
    assert.deepEqual(local.seen, []);
  });
  it('unless the host is named as one of its own', async () => {
    await using local = await scripted((_, r) => answer(r, 200));
    const client = createHttpClient(options(), namedHosts(['registry.example', 'localhost']));
    const url = new URL(`http://localhost:${local.host.split(':')[1]}/`);
    assert.equal((await client.send({ method: 'GET', url })).status, 200);
  });
  it('by its own host, where that is not said to be private', async () => {
    await using local = await scripted((_, r) => answer(r, 200));
    for (const name of [local.host, `localhost:${local.host.split(':')[1]}`]) {
      const reference = parseReference(`${name}/app`);
      const store = await openStore(reference, { ...options(), privateEndpoint: false });
      await assert.rejects(store.manifest('v1'), { code: 'registry.address' });
    }
    assert.deepEqual(local.seen, []);
  });
});
