import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RegistryClaims } from '../../src/access/parse.ts';
import { openRegistryKeys } from '../../src/access/registry-keys.ts';
import { openClaims, sealClaims } from '../../src/access/registry-token.ts';
import { openMemory } from '../../src/storage/memory/open.ts';

const HOUR = 3600_000;
const AT = new Date('2026-11-21T12:00:00.000Z');
const INVALID = { code: 'access.credentials-invalid' };
const CLAIMS: RegistryClaims = {
  audience: 'bulla-registry',
  kind: 'user',
  subject: 'user_1',
  issued: AT,
  expires: new Date(AT.getTime() + 300_000),
  catalog: false,
  access: [{ repository: 'app', actions: ['pull'] }],
};

function setUpKeys() {
  const store = openMemory();
  let time = AT.getTime();
  const open = () =>
    openRegistryKeys({
      registers: store.registers,
      clock: () => new Date(time),
      now: () => time,
      keyMs: 24 * HOUR,
      tokenMs: 300_000,
    });
  return {
    keys: open(),
    replica: open,
    pass(ms: number) {
      time += ms;
    },
  };
}

describe('a registry token', () => {
  it('says what was sealed, on every replica', async () => {
    const { keys, replica } = setUpKeys();
    const token = sealClaims(await keys.current(), CLAIMS);
    for (const reader of [keys, replica()]) {
      assert.deepEqual(await openClaims(reader, token, 'bulla-registry', AT), CLAIMS);
    }
  });

  it('is for one audience: the notary does not take it, nor the registry the notary’s (semantics 20)', async () => {
    const { keys } = setUpKeys();
    const key = await keys.current();
    const registry = openClaims(keys, sealClaims(key, CLAIMS), 'bulla-notary', AT);
    await assert.rejects(registry, INVALID);
    const foreign = sealClaims(key, { ...CLAIMS, audience: 'bulla-notary' });
    await assert.rejects(openClaims(keys, foreign, 'bulla-registry', AT), INVALID);
  });

  it('ends on time', async () => {
    const { keys } = setUpKeys();
    const token = sealClaims(await keys.current(), CLAIMS);
    const before = new Date(CLAIMS.expires.getTime() - 1);
    await openClaims(keys, token, 'bulla-registry', before);
    await assert.rejects(openClaims(keys, token, 'bulla-registry', CLAIMS.expires), INVALID);
  });

  it('of a clock that was ahead ends with it', async () => {
    const { keys } = setUpKeys();
    const token = sealClaims(await keys.current(), CLAIMS);
    const back = (ms: number) => new Date(AT.getTime() - ms);
    await openClaims(keys, token, 'bulla-registry', back(60_000));
    await assert.rejects(openClaims(keys, token, 'bulla-registry', back(60_001)), INVALID);
  });

  it('is refused with any of its characters changed, and so is anything else', async () => {
    const { keys } = setUpKeys();
    const token = sealClaims(await keys.current(), CLAIMS);
    const changed = fc.tuple(fc.nat(token.length - 1), fc.constantFrom(...'AQgw019.-_ f'));
    const other = fc.oneof(
      fc.string(),
      changed.map(([at, to]) => `${token.slice(0, at)}${to}${token.slice(at + 1)}`),
    );
    await fc.assert(
      fc.asyncProperty(other, async (text) => {
        if (text === token) return;
        await assert.rejects(openClaims(keys, text, 'bulla-registry', AT), INVALID);
      }),
      { numRuns: 300 },
    );
  });

  it('has one form: the bits that its last character has too many count as well', async () => {
    const { keys } = setUpKeys();
    const token = sealClaims(await keys.current(), CLAIMS);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (const last of alphabet) {
      const other = `${token.slice(0, -1)}${last}`;
      if (other === token) continue;
      await assert.rejects(openClaims(keys, other, 'bulla-registry', AT), INVALID);
    }
  });

  it('made with a key of somebody else is refused', async () => {
    const { keys } = setUpKeys();
    const key = await keys.current();
    const forged = sealClaims({ ...key, secret: Buffer.alloc(32) }, CLAIMS);
    await assert.rejects(openClaims(keys, forged, 'bulla-registry', AT), INVALID);
  });
});

describe('the keys', () => {
  it('are made once by replicas that start together', async () => {
    const { keys, replica } = setUpKeys();
    const made = await Promise.all([keys, replica(), replica()].map((one) => one.current()));
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
  });

  it('change every day; the one before is known until what it sealed is over', async () => {
    const { keys, replica, pass } = setUpKeys();
    const first = await keys.current();
    pass(24 * HOUR - 1);
    assert.equal((await keys.current()).id, first.id);
    pass(1);
    const second = await keys.current();
    assert.notEqual(second.id, first.id);
    for (const reader of [keys, replica()]) {
      assert.deepEqual((await reader.find(first.id))?.secret, first.secret);
      assert.equal((await reader.find(second.id))?.id, second.id);
    }
    pass(300_000);
    for (const reader of [keys, replica()]) assert.equal(await reader.find(first.id), null);
  });

  it('that another replica has made are found within a second', async () => {
    const { keys, replica, pass } = setUpKeys();
    const other = replica();
    await keys.current();
    assert.equal(await other.find('0000000000000000'), null);
    pass(24 * HOUR);
    const made = await keys.current();
    pass(1000);
    assert.equal((await other.find(made.id))?.id, made.id);
  });
});
