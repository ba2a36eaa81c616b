import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listen } from '@bulla/server/http/server';
import { mint, pemFolder } from '../../../server/test/http/tls/mint.ts';
import { openApiClient } from '../../src/server/api-client.ts';

const ca = mint('server authority');
const own = mint('bulla', { by: ca, purpose: 'server' });
const clients = mint('client authority');
const node = mint('worker-1', { by: clients, purpose: 'client' });
const stranger = mint('worker-1', { by: mint('client authority'), purpose: 'client' });

const SHOWN = [
  { name: 'its certificate', shows: node, isAnswered: true },
  { name: 'a stranger’s', shows: stranger, isAnswered: false },
  { name: 'none', shows: null, isAnswered: false },
] as const;

for (const { name, shows, isAnswered } of SHOWN) {
  test(`a listener that wants certificates ${isAnswered ? 'answers' : 'refuses'} who shows ${name}`, async () => {
    await using folder = await pemFolder();
    let asked: readonly (string | undefined)[] = [];
    await using server = await listen(
      [
        {
          prefix: '/api/bulla/v1',
          async handle(request) {
            asked = [request.clientCertificate?.subject, request.header('user-agent')];
            return { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };
          },
          refuse: () => ({ status: 400 }),
        },
      ],
      [
        {
          url: 'https://127.0.0.1:0',
          tls: {
            certificate: await folder.write('cert.pem', own.certificate),
            key: await folder.write('key.pem', own.key),
            clientCa: await folder.write('ca.pem', clients.certificate),
          },
        },
      ],
    );
    const api = openApiClient({
      url: `https://127.0.0.1:${server.port}`,
      token: 'bulla_secret',
      ca: Buffer.from(ca.certificate),
      client:
        shows === null
          ? null
          : { certificate: Buffer.from(shows.certificate), key: Buffer.from(shows.key) },
      agent: 'bulla-node (worker-1)',
      signal: new AbortController().signal,
    });
    const answer = api.json({ method: 'POST', path: ['node', 'decisions'], body: {} });
    if (!isAnswered) {
      await assert.rejects(answer, { code: 'server.unreachable' });
      assert.deepEqual(asked, []);
      return;
    }
    assert.deepEqual(await answer, {});
    assert.deepEqual(asked, ['CN=worker-1', 'bulla-node (worker-1)']);
  });
}
