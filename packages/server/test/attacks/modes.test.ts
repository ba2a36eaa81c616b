import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFortress, sign } from './fortress.ts';

// Whoever pulls what a policy does not admit learns of it in every mode, and so does the record.

const MODES = [
  { mode: 'enforce', status: 403, warns: false },
  { mode: 'warn', status: 200, warns: true },
  { mode: 'audit', status: 200, warns: true },
] as const;

for (const { mode, status, warns } of MODES) {
  test(`a server whose policy is in mode ${mode} answers ${status} for what is not signed`, async () => {
    await using fortress = await openFortress({
      spec: `
  images: [{ glob: "**" }]
  mode: ${mode}
  authorities: { release: { key: { ref: KEY } } }
  require: { signed: { of: [release] } }`,
    });
    const { origin, key, pushToken } = fortress;
    await fortress.image('app', 'unsigned');
    const pull = (tag: string) => fortress.send('GET', `/v2/app/manifests/${tag}`);
    const unsigned = await pull('unsigned');
    assert.equal(unsigned.status, status, unsigned.body.toString());
    const warning = warns
      ? `299 - "policy prod (${mode}) is not satisfied (signature.none)"`
      : undefined;
    assert.equal(unsigned.headers['warning'], warning);
    // Counted by the record when the decision was kept.
    const counted = await fortress.send('GET', '/metrics', { anonymous: true });
    const effect = mode === 'enforce' ? 'deny' : mode;
    assert.match(counted.body.toString(), new RegExp(`_total\\{[^}]*effect="${effect}"[^}]*\\} 1`));
    if (mode === 'enforce') return;
    await fortress.image('app', 'signed');
    await sign(new URL(origin).host, 'app:signed', key, pushToken);
    const signed = await pull('signed');
    assert.deepEqual([signed.status, signed.headers['warning']], [200, undefined]);
  });
}
