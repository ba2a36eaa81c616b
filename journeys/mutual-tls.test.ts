// A real client of registries before a listener that asks for client certificates.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { pushImage } from '../demo/image.ts';
import { type Minted, mint } from '../packages/server/test/http/tls/mint.ts';
import { requirePeer } from '../test/peers.ts';
import { LAYOUT, prepareClients, runClient } from './container-client.ts';
import { signedPolicy, startServe, until } from './server.ts';
import { makeKey, openStage, type Run, type Stage } from './stage.ts';

const authority = mint('servers');
const clients = mint('clients');
const others = mint('others');
const own = mint('127.0.0.1', { by: authority, purpose: 'server' });
const client = mint('ci', { by: clients, purpose: 'client' });
const expired = mint('ci', { by: clients, purpose: 'client', days: [-2, -1] });
const foreign = mint('ci', { by: others, purpose: 'client' });

/** What skopeo prints when the server ends the handshake: its alert, where it came before the end. */
const TLS_REFUSAL =
  /pinging container registry [^ ]+: .*(remote error: tls: |EOF|connection reset)/;

/** A folder as the containers' tools read it: whom to trust, and what to show. */
async function certificates(stage: Stage, name: string, shows: Minted | null): Promise<string> {
  await stage.write(`${name}/ca.crt`, authority.certificate);
  if (shows !== null) {
    await stage.write(`${name}/client.cert`, shows.certificate);
    await stage.write(`${name}/client.key`, shows.key);
  }
  return stage.path(name);
}

test('skopeo comes in with its certificate, and not without, with an expired or a foreign one', async (t) => {
  const program = requirePeer(t, 'skopeo');
  if (program === null) return;
  await using stage = await openStage();
  await prepareClients(stage);
  const { pub } = await makeKey(stage, 'release');
  const policy = await stage.write(
    'policy.yaml',
    signedPolicy({ name: 'all', pub, mode: 'audit' }),
  );
  const files = {
    certificate: await stage.write('tls/cert.pem', own.certificate),
    key: await stage.write('tls/key.pem', own.key),
    clientCa: await stage.write('tls/clients.pem', clients.certificate),
  };
  await using server = await startServe(stage, {
    listen: JSON.stringify([{ url: 'https://127.0.0.1:0', tls: files }]),
    gateway: '  anonymousPull: false\n',
    policies: [policy],
  });
  const layout = await openStore(parseReference(`oci:${stage.path(LAYOUT)}:v1`), {
    env: {},
    homeFolder: stage.folder,
    createLayout: true,
  });
  await pushImage(layout, 'v1', 'pushed with a certificate');
  const image = `docker://${server.host}/team/app:v1`;
  const credentials = `token:${server.pushToken}`;
  const push = async (name: string, shows: Minted | null): Promise<Run> =>
    runClient(stage, program, [
      ...['--policy', stage.path('policy.json'), 'copy', '--dest-creds', credentials],
      ...['--dest-cert-dir', await certificates(stage, name, shows)],
      ...[`oci:${stage.path(LAYOUT)}:v1`, image],
    ]);

  for (const [name, shows] of [
    ['nothing', null],
    ['expired', expired],
    ['foreign', foreign],
  ] as const) {
    await t.test(`a client that shows ${name} is refused at the handshake`, async () => {
      const { code, all } = await push(name, shows);
      assert.notEqual(code, 0, all);
      assert.match(all, TLS_REFUSAL);
    });
  }
  await t.test('the certificate lets in, and the token is asked for all the same', async () => {
    const pushed = await push('client', client);
    assert.equal(pushed.code, 0, pushed.all);
    const folder = await certificates(stage, 'client', client);
    const options = ['--cert-dir', folder, '--no-creds', image];
    const read = await runClient(stage, program, ['inspect', '--raw', ...options]);
    assert.notEqual(read.code, 0, read.all);
    assert.match(read.all, /unauthorized|authentication required/i);
  });
  await t.test(
    'another authority in the file changes who comes in, without a restart',
    async () => {
      await stage.write('tls/clients.pem', others.certificate);
      server.reload();
      await until('the client of the new authority comes in', async () => {
        return (await push('foreign', foreign)).code === 0;
      });
      const { code, all } = await push('client', client);
      assert.notEqual(code, 0, all);
      assert.match(all, TLS_REFUSAL);
    },
  );
});
