import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverNames } from '../../src/config/names.ts';
import { parseConfig } from '../../src/config/parse.ts';

const CASES = [
  { name: 'nothing', text: '', hosts: [], certificate: ['127.0.0.1'] },
  {
    name: 'an origin',
    text: 'origin: https://Bulla.example:8443',
    hosts: ['bulla.example'],
    certificate: ['bulla.example', '127.0.0.1'],
  },
  {
    name: 'every address, and a store of its own name',
    text: 'gateway: { name: "registry.example:5443" }\nlisten: [{ url: "https://0.0.0.0" }, { url: "https://[::]" }]',
    hosts: ['registry.example'],
    certificate: ['registry.example'],
  },
  {
    name: 'addresses and names',
    text: 'listen: [{ url: "https://[fd00::1]" }, { url: "http://localhost:5000" }]',
    hosts: ['localhost'],
    certificate: ['fd00::1', 'localhost'],
  },
] as const;

for (const { name, text, hosts, certificate } of CASES) {
  test(`a server of ${name} goes by these`, () => {
    const { config, problems } = parseConfig(Buffer.from(text), 'bulla.yaml', {});
    assert.ok(config !== null, JSON.stringify(problems));
    const names = serverNames(config);
    assert.deepEqual([...names.hosts], hosts);
    assert.deepEqual(names.certificate, certificate);
  });
}
