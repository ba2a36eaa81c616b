import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { pushImage } from '../demo/image.ts';
import { openRepository } from './artifact.ts';
import { type RunningServer, startServe } from './server.ts';
import { makeKey, type Stage } from './stage.ts';

const POLICY = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: starter }
spec:
  images: [{ glob: "127.0.0.1:5000/**" }]
  mode: audit
  authorities: { release: { key: { ref: release.pub } } }
  require: { signed: { of: [release] } }
`;

/**
 * Leaves in `bulla-data` of the stage what a server kept that has ended: the owner ann, the signed
 * image team/app:v1 and the unsigned team/app:v2 of the registry 127.0.0.1:5000, and their pulls.
 */
export async function settleServer(stage: Stage): Promise<void> {
  await makeKey(stage, 'release');
  const policy = await stage.write('policy.yaml', POLICY);
  await using server = await startServe(stage, {
    gateway: '  name: 127.0.0.1:5000\n',
    policies: [policy],
  });
  await signInOwner(server);
  const target = await openRepository(`${server.host}/team/app`, server.pushToken);
  for (const tag of ['v1', 'v2']) await pushImage(target, tag, tag);
  await stage.succeeds(['login', server.host, '-u', 'token', '-p', server.pushToken]);
  await stage.succeeds(['sign', '--key', 'release.key', `${server.host}/team/app:v1`]);
  for (const tag of ['v1', 'v2']) {
    const answer = await fetch(`${server.origin}/v2/team/app/manifests/${tag}`, {
      headers: { authorization: `Basic ${btoa(`token:${server.pushToken}`)}` },
    });
    assert.equal(answer.status, 200, await answer.text());
  }
  await server.stop();
  await rename(server.data, stage.path('bulla-data'));
}

/** The first owner opens the link and is called ann from then on. */
async function signInOwner(server: RunningServer): Promise<void> {
  const link = /#token=([^&]+)&first$/.exec(server.secrets?.signInLink ?? '')?.[1];
  const answer = await fetch(`${server.origin}/api/bulla/v1/session/link`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: server.origin },
    body: JSON.stringify({ link, name: 'ann', password: 'correct horse battery' }),
  });
  assert.equal(answer.status, 200, await answer.text());
}
