import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerConfig } from '../../src/config/config.ts';
import { openFortress } from '../attacks/fortress.ts';
import { mint, pemFolder } from '../http/tls/mint.ts';

const CASES: readonly { readonly only: ServerConfig['only']; readonly listens: boolean }[] = [
  { only: ['gateway', 'api', 'console', 'admission'], listens: true },
  // Beside another process with the same file, that has these ports.
  { only: ['gateway', 'api'], listens: false },
];

for (const { only, listens } of CASES) {
  test(`with ${only.join(', ')} the ports of clusters are ${listens ? 'open' : 'left to others'}`, async () => {
    await using folder = await pemFolder();
    const authority = mint('cluster');
    const leaf = mint('webhook', { by: authority, purpose: 'server', names: ['localhost'] });
    const pair = {
      listen: 'https://127.0.0.1:0',
      certificate: await folder.write('tls.crt', leaf.certificate),
      key: await folder.write('tls.key', leaf.key),
    };
    const clientCa = await folder.write('ca.crt', authority.certificate);
    await using fortress = await openFortress({
      more: {
        only,
        gatekeeper: { ...pair, clientCa, reference: 'tag-and-digest', deadlineMs: 2000 },
        admission: {
          ...pair,
          clientCa,
          cluster: null,
          pin: 'tag-and-digest',
          nodesPullThrough: false,
          namespaces: null,
          exempt: [],
          kinds: [],
          marginMs: 500,
          maxBodyBytes: 8 << 20,
          denials: 'bulla',
        },
      },
    });
    assert.equal(fortress.server.admission !== null, listens);
    assert.equal(fortress.server.gatekeeper !== null, listens);
  });
}
