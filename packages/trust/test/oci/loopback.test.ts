import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopbackAddress, isLoopbackHost } from '@bulla/trust/oci/loopback';

const HOSTS: readonly {
  readonly host: string;
  readonly address: boolean;
  readonly isHost: boolean;
}[] = [
  { host: '127.0.0.1', address: true, isHost: true },
  { host: '127.9.9.9', address: true, isHost: true },
  { host: '::1', address: true, isHost: true },
  { host: '0:0:0:0:0:0:0:1', address: true, isHost: true },
  { host: '::ffff:127.0.0.1', address: true, isHost: true },
  { host: '[::1]', address: false, isHost: true },
  { host: 'localhost', address: false, isHost: true },
  { host: 'localhost.example', address: false, isHost: false },
  { host: '127.0.0.1.example', address: false, isHost: false },
  { host: '127.0.0.999', address: false, isHost: false },
  { host: '0.0.0.0', address: false, isHost: false },
  { host: '::', address: false, isHost: false },
  { host: '10.0.0.1', address: false, isHost: false },
  { host: '::ffff:10.0.0.1', address: false, isHost: false },
  { host: '', address: false, isHost: false },
];

for (const { host, address, isHost } of HOSTS) {
  test(`${host || 'nothing'} ${isHost ? 'is' : 'is not'} this machine`, () => {
    assert.equal(isLoopbackAddress(host), address);
    assert.equal(isLoopbackHost(host), isHost);
  });
}
