import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { type Sender, senderOf } from '../../src/hooks/sender.ts';

const ONE = 'token-of-the-first-one';
const TWO = 'token-of-the-second-one';
const SENDERS: readonly Sender[] = [
  { kind: 'harbor', registry: 'one.example', token: ONE },
  { kind: 'harbor', registry: 'two.example', token: TWO },
  { kind: 'zot', registry: 'three.example', token: ONE },
];

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

describe('the token tells the sender, and so the registry', () => {
  const CASES: readonly (readonly [string, string | undefined, string | null])[] = [
    ['harbor', ONE, 'one.example'],
    ['harbor', TWO, 'two.example'],
    ['harbor', `Bearer ${TWO}`, 'two.example'],
    ['harbor', `bearer ${ONE}`, 'one.example'],
    ['zot', basic('zot', ONE), 'three.example'],
    ['zot', basic('', ONE), 'three.example'],
    // A password of one product is none of another's.
    ['zot', `Bearer ${TWO}`, null],
    ['distribution', ONE, null],
    ['harbor', undefined, null],
    ['harbor', '', null],
    ['harbor', ONE.slice(0, -1), null],
    ['harbor', `Bearer  ${ONE} `, null],
    ['harbor', basic(ONE, ''), null],
    ['harbor', `${ONE}${'x'.repeat(5000)}`, null],
  ];
  for (const [kind, header, registry] of CASES) {
    test(`${kind} with ${JSON.stringify(header)?.slice(0, 40)}: ${registry}`, () => {
      if (registry !== null) {
        assert.equal(senderOf(SENDERS, kind, header).registry, registry);
        return;
      }
      assert.throws(
        () => senderOf(SENDERS, kind, header),
        (error) => error instanceof TrustFault && error.code === 'hooks.unauthenticated',
      );
    });
  }
});
