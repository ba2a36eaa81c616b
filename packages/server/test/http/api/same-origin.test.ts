import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireSameOrigin } from '../../../src/http/api/same-origin.ts';
import { faultOf } from '../../storage/expectations.ts';
import { type RequestPieces, requestOf } from '../request.ts';

const COOKIE = { cookie: '__Host-session=s' };
const JSON_TYPE = { 'content-type': 'application/json' };
const OWN = { origin: 'https://bulla.example' };
const SITE = { 'sec-fetch-site': 'same-origin' };
const POST = { method: 'POST', body: '{}' };

const CASES: readonly {
  readonly name: string;
  readonly pieces: RequestPieces;
  readonly publicOrigin?: string;
  readonly expect: 'admitted' | 'refused';
}[] = [
  {
    name: 'a read of another site',
    pieces: { headers: { 'sec-fetch-site': 'cross-site' } },
    expect: 'admitted',
  },
  {
    name: 'the console',
    pieces: { ...POST, headers: { ...COOKIE, ...JSON_TYPE, ...SITE, ...OWN } },
    expect: 'admitted',
  },
  {
    name: 'an older browser’s console',
    pieces: { ...POST, headers: { ...COOKIE, ...JSON_TYPE, ...OWN } },
    expect: 'admitted',
  },
  {
    name: 'the console, deleting',
    pieces: { method: 'DELETE', headers: { ...COOKIE, ...SITE } },
    expect: 'admitted',
  },
  {
    name: 'curl with a token',
    pieces: { ...POST, headers: { authorization: 'Bearer t' } },
    expect: 'admitted',
  },
  { name: 'curl that signs in', pieces: { ...POST, headers: JSON_TYPE }, expect: 'admitted' },
  {
    name: 'the console behind a proxy that ends TLS',
    pieces: { ...POST, secure: false, headers: { ...COOKIE, ...JSON_TYPE, ...OWN } },
    publicOrigin: 'https://bulla.example',
    expect: 'admitted',
  },
  {
    name: 'the same through a proxy that nobody configured',
    pieces: { ...POST, secure: false, headers: { ...COOKIE, ...JSON_TYPE, ...OWN } },
    expect: 'refused',
  },
  ...['cross-site', 'same-site', 'none', '', 'same-origin, cross-site'].map((site) => ({
    name: `Sec-Fetch-Site ${JSON.stringify(site)}`,
    pieces: { ...POST, headers: { ...COOKIE, ...JSON_TYPE, ...OWN, 'sec-fetch-site': site } },
    expect: 'refused' as const,
  })),
  ...[
    'https://evil.example',
    'null',
    'http://bulla.example',
    'https://bulla.example:444',
    'https://bulla.example.evil.example',
    '',
  ].map((origin) => ({
    name: `Origin ${JSON.stringify(origin)}`,
    pieces: { ...POST, headers: { ...COOKIE, ...JSON_TYPE, origin } },
    expect: 'refused' as const,
  })),
  {
    name: 'a cookie, and nothing that says where from',
    pieces: { ...POST, headers: { ...COOKIE, ...JSON_TYPE } },
    expect: 'refused',
  },
  {
    name: 'a form of this origin',
    pieces: { ...POST, headers: { ...COOKIE, ...SITE, 'content-type': 'text/plain' } },
    expect: 'refused',
  },
  {
    name: 'a form without fields',
    pieces: { method: 'POST', headers: { ...COOKIE, ...SITE } },
    expect: 'refused',
  },
  {
    name: 'another site that signs somebody in',
    pieces: { ...POST, headers: { ...JSON_TYPE, origin: 'https://evil.example' } },
    expect: 'refused',
  },
  {
    name: 'credentials that a browser adds by itself, from another site',
    pieces: { ...POST, headers: { authorization: 'Basic x', 'sec-fetch-site': 'cross-site' } },
    expect: 'refused',
  },
  ...['PUT', 'PATCH', 'DELETE', 'PROPPATCH'].map((method) => ({
    name: `a ${method} of another site`,
    pieces: { method, headers: { ...COOKIE, origin: 'https://evil.example' } },
    expect: 'refused' as const,
  })),
];

for (const { name, pieces, publicOrigin = null, expect } of CASES) {
  test(`${name} is ${expect}`, () => {
    const check = () => requireSameOrigin(requestOf(pieces), publicOrigin);
    if (expect === 'admitted') check();
    else assert.throws(check, faultOf('access.foreign-origin'));
  });
}
