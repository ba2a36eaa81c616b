import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Code } from '@bulla/trust/fault/codes';
import { readHost } from '../../src/http/host.ts';
import { faultOf } from '../storage/expectations.ts';

const NAMES = new Set(['bulla.example']);

const CASES: readonly {
  readonly name: string;
  readonly headers: readonly string[];
  readonly names?: ReadonlySet<string>;
  readonly expect: { readonly host: string } | { readonly code: Code };
}[] = [
  { name: 'a name', headers: ['Host', 'Bulla.Example'], expect: { host: 'bulla.example' } },
  { name: 'a port', headers: ['host', 'x:5000'], expect: { host: 'x:5000' } },
  { name: 'IPv4', headers: ['HOST', '127.0.0.1:1'], expect: { host: '127.0.0.1:1' } },
  { name: 'IPv6', headers: ['host', '[::1]:5000'], expect: { host: '[::1]:5000' } },
  { name: 'none', headers: ['x', 'y'], expect: { code: 'http.host-invalid' } },
  { name: 'an empty one', headers: ['host', ''], expect: { code: 'http.host-invalid' } },
  {
    name: 'two, though alike',
    headers: ['host', 'a', 'Host', 'a'],
    expect: { code: 'http.host-invalid' },
  },
  { name: 'userinfo', headers: ['host', 'a@b'], expect: { code: 'http.host-invalid' } },
  { name: 'a path', headers: ['host', 'a/b'], expect: { code: 'http.host-invalid' } },
  { name: 'a space', headers: ['host', 'a b'], expect: { code: 'http.host-invalid' } },
  { name: 'a quote', headers: ['host', 'a"b'], expect: { code: 'http.host-invalid' } },
  { name: 'a long port', headers: ['host', 'a:123456'], expect: { code: 'http.host-invalid' } },
  { name: 'a dot in front', headers: ['host', '.a'], expect: { code: 'http.host-invalid' } },
  {
    name: 'the configured name',
    headers: ['host', 'bulla.example:443'],
    names: NAMES,
    expect: { host: 'bulla.example:443' },
  },
  {
    name: 'localhost',
    headers: ['host', 'localhost:5000'],
    names: NAMES,
    expect: { host: 'localhost:5000' },
  },
  { name: 'an address', headers: ['host', '[::1]'], names: NAMES, expect: { host: '[::1]' } },
  {
    name: 'the name of a page that was rebound to this machine',
    headers: ['host', 'evil.example:5000'],
    names: NAMES,
    expect: { code: 'http.host-unknown' },
  },
  {
    name: 'a name below the configured one',
    headers: ['host', 'a.bulla.example'],
    names: NAMES,
    expect: { code: 'http.host-unknown' },
  },
];

for (const { name, headers, names, expect } of CASES) {
  test(`${name} ${'host' in expect ? 'is read' : `is ${expect.code}`}`, () => {
    if ('host' in expect) assert.equal(readHost(headers, names), expect.host);
    else assert.throws(() => readHost(headers, names), faultOf(expect.code));
  });
}
