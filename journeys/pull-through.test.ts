// Debian's docker-registry behind the gateway, filled with what the real cosign signed.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Code } from '@bulla/trust/fault/codes';
import { type DockerRegistry, startDockerRegistry } from '../test/docker-registry.ts';
import { requirePeer } from '../test/peers.ts';
import { CLIENTS, prepareClients } from './container-client.ts';
import { uploadLayout } from './layout-upload.ts';
import { pullToken, type RunningServer, signedPolicy, startServe } from './server.ts';
import { openStage, ROOT, type Stage } from './stage.ts';

const COSIGN = join(ROOT, 'vectors/cosign');
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

/** The fixtures' layouts by the repository that each becomes. */
const LAYOUTS = {
  legacy: 'cosign-key-legacy',
  'legacy-tampered': 'cosign-legacy-tampered.tar',
  bundle: 'cosign-key-bundle.tar',
  fallback: 'cosign-fallback-tag.tar',
  tampered: 'cosign-tampered.tar',
} as const;

type Repository = keyof typeof LAYOUTS;

/** Which policy covers each. */
const POLICY_OF: Readonly<Record<Repository, string>> = {
  legacy: 'unlogged',
  'legacy-tampered': 'unlogged',
  bundle: 'logged',
  fallback: 'steady',
  tampered: 'edited',
};

interface House extends AsyncDisposable {
  readonly stage: Stage;
  readonly upstream: DockerRegistry;
  readonly server: RunningServer;
}

/** The policies name the upstream's own repositories; a trap waits where the prefix is taken for a name. */
function policies(upstream: string): Readonly<Record<string, string>> {
  const pub = join(COSIGN, 'keys/p256.pub');
  const wrong = join(COSIGN, 'keys/wrong.pub');
  const roots = `  trustRoots: { lab: { file: "${join(COSIGN, 'trust/trusted_root.json')}" } }\n`;
  const logged = { pub, trustRoot: 'lab', more: roots };
  const known = '  onInconclusive: { lastKnownGood: { maxAge: 15m } }\n';
  return {
    'legacy.yaml': signedPolicy({ name: 'unlogged', pub, images: `${upstream}/fixtures/legacy*` }),
    'bundle.yaml': signedPolicy({
      name: 'logged',
      ...logged,
      images: `${upstream}/fixtures/bundle`,
    }),
    'fallback.yaml': signedPolicy({
      name: 'steady',
      ...logged,
      images: `${upstream}/fixtures/fallback`,
      more: `${roots}${known}`,
    }),
    'tampered.yaml': signedPolicy({
      name: 'edited',
      ...logged,
      images: `${upstream}/fixtures/tampered`,
    }),
    'trap.yaml': signedPolicy({ name: 'trap', pub: wrong, images: '**/hub/**' }),
  };
}

/** The registry, filled, and the gateway before it; null when the test is skipped. */
async function openHouse(t: TestContext): Promise<House | null> {
  const program = requirePeer(t, 'docker-registry');
  if (program === null) return null;
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const upstream = opened.use(await startDockerRegistry(program));
  for (const [name, layout] of Object.entries(LAYOUTS)) {
    const images = CASES.filter(({ repository }) => repository === name).map(({ tag }) => tag);
    await uploadLayout(join(COSIGN, 'oci', layout), `${upstream.host}/fixtures/${name}`, images);
  }
  for (const [name, text] of Object.entries(policies(upstream.host))) {
    await stage.write(`policies/${name}`, text);
  }
  const wanted = {
    policies: [stage.path('policies')],
    gateway: `  tagFreshness: 0s
  upstreams:
    - { prefix: hub, registry: "${upstream.host}", plainHttp: true, privateAddresses: true }
`,
  };
  const server = opened.use(await startServe(stage, wanted));
  const life = opened.move();
  return { stage, upstream, server, [Symbol.asyncDispose]: () => life.disposeAsync() };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** Of an error of the specification; empty without one. */
  readonly message: string;
  readonly detail: { readonly policy?: string; readonly code?: string };
}

async function get({ server }: House, path: string): Promise<Answer> {
  const [name = ''] = path.split('/');
  const nobody = await pullToken(server, `hub/fixtures/${name}`);
  const answer = await fetch(`${server.origin}/v2/hub/fixtures/${path}`, {
    headers: { accept: `${OCI_MANIFEST}, ${OCI_INDEX}`, ...nobody },
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const { message = '', detail = {} } = answer.ok ? {} : JSON.parse(bytes.toString()).errors[0];
  return { status: answer.status, headers: answer.headers, bytes, message, detail };
}

const CASES: readonly {
  readonly repository: Repository;
  readonly tag: string;
  /** Null: admitted; else the code of the clause that failed. */
  readonly refused: Code | null;
}[] = [
  { repository: 'legacy', tag: 'p256', refused: null },
  { repository: 'legacy', tag: 'two-keys', refused: null },
  { repository: 'legacy', tag: 'p384', refused: 'signature.invalid' },
  { repository: 'legacy', tag: 'unsigned', refused: 'signature.none' },
  { repository: 'legacy-tampered', tag: 'none', refused: null },
  { repository: 'legacy-tampered', tag: 'two-layers-first-bad', refused: null },
  { repository: 'legacy-tampered', tag: 'sig-bitflip', refused: 'signature.invalid' },
  { repository: 'legacy-tampered', tag: 'other-digest', refused: 'signature.digest-mismatch' },
  { repository: 'bundle', tag: 'tlog-p256', refused: null },
  { repository: 'bundle', tag: 'nolog-p256', refused: 'proof.log-missing' },
  { repository: 'bundle', tag: 'tlog-rsa2048', refused: 'signature.invalid' },
  { repository: 'bundle', tag: 'unsigned', refused: 'signature.none' },
  { repository: 'fallback', tag: 'key', refused: null },
  { repository: 'fallback', tag: 'both', refused: null },
  { repository: 'fallback', tag: 'keyless', refused: 'signature.invalid' },
  { repository: 'tampered', tag: 'none-key', refused: null },
  { repository: 'tampered', tag: 'sig-bitflip-key', refused: 'signature.invalid' },
  { repository: 'tampered', tag: 'other-image-key', refused: 'statement.subject-mismatch' },
  { repository: 'tampered', tag: 'no-tlog-key', refused: 'proof.log-missing' },
];

test('images that cosign signed are pulled through the gateway from docker-registry', async (t) => {
  const opened = await openHouse(t);
  if (opened === null) return;
  await using house = opened;
  for (const { repository, tag, refused } of CASES) {
    const verdict = refused === null ? 'admitted' : 'refused';
    await t.test(`${LAYOUTS[repository]} ${tag} is ${verdict}`, async () => {
      const { status, headers, message, detail, bytes } = await get(
        house,
        `${repository}/manifests/${tag}`,
      );
      if (refused !== null) {
        assert.equal(status, 403, message);
        assert.deepEqual([detail.policy, detail.code], [POLICY_OF[repository], refused], message);
        return;
      }
      assert.equal(status, 200, message);
      const direct = await fetch(
        `http://${house.upstream.host}/v2/fixtures/${repository}/manifests/${tag}`,
        { headers: { accept: OCI_MANIFEST } },
      );
      assert.deepEqual(bytes, Buffer.from(await direct.arrayBuffer()), 'as the upstream has it');
      const digest = headers.get('docker-content-digest');
      assert.equal(digest, direct.headers.get('docker-content-digest'));
      const byDigest = await get(house, `${repository}/manifests/${digest}`);
      assert.equal(byDigest.status, 200, byDigest.message);
      for (const layer of JSON.parse(bytes.toString()).layers) {
        assert.equal((await get(house, `${repository}/blobs/${layer.digest}`)).status, 200);
      }
    });
  }

  await t.test('skopeo is refused and served through the prefix', async (nested) => {
    const program = requirePeer(nested, 'skopeo');
    const skopeo = CLIENTS.find(({ peer }) => peer === 'skopeo');
    if (program === null || skopeo === undefined) return;
    await using stage = await openStage();
    await prepareClients(stage);
    const image = (tag: string) => `${house.server.host}/hub/fixtures/legacy:${tag}`;
    const admitted = await skopeo.pull(stage, program, image('p256'));
    assert.equal(admitted.code, 0, admitted.all);
    const refused = await skopeo.pull(stage, program, image('unsigned'));
    assert.notEqual(refused.code, 0);
    assert.match(refused.all, /denied: refused by policy unlogged: .*\(decision [0-9A-Z]{26}\)/);
  });

  await t.test('the referrers API is answered for an upstream that has none', async () => {
    const { headers } = await get(house, 'fallback/manifests/both');
    const digest = headers.get('docker-content-digest') ?? '';
    const own = await fetch(
      `http://${house.upstream.host}/v2/fixtures/fallback/referrers/${digest}`,
    );
    assert.equal(own.status, 404, 'the upstream has none');
    const { status, bytes } = await get(house, `fallback/referrers/${digest}`);
    assert.equal(status, 200);
    const index = JSON.parse(bytes.toString());
    assert.equal(index.mediaType, OCI_INDEX);
    assert.equal(index.manifests.length, 2);
    for (const { digest: bundle, size } of index.manifests) {
      const stored = await get(house, `fallback/manifests/${bundle}`);
      assert.equal(stored.status, 200, 'signature material is served to whoever verifies');
      assert.equal(stored.bytes.length, size);
    }
  });

  await t.test('bulla verifies through the prefix what it verifies at the upstream', async () => {
    const { stage, server } = house;
    const options = ['--key', join(COSIGN, 'keys/p256.pub')];
    const image = `${server.host}/hub/fixtures/legacy:p256`;
    assert.match(await stage.succeeds(['verify', ...options, image]), /^VERIFIED/);
  });

  await t.test('a push below the prefix is refused', async () => {
    const answer = await fetch(`${house.server.origin}/v2/hub/fixtures/legacy/blobs/uploads/`, {
      method: 'POST',
    });
    assert.ok([401, 403, 405].includes(answer.status), String(answer.status));
  });

  await t.test(
    'without the upstream a tag is refused, but where last known good stands in',
    async (nested) => {
      const { upstream } = house;
      const before = await get(house, 'fallback/manifests/key');
      const digest = before.headers.get('docker-content-digest');
      assert.equal(before.status, 200);
      assert.equal((await get(house, 'legacy/manifests/p256')).status, 200);
      await upstream.close();
      await nested.test('refused', async () => {
        const { status, message } = await get(house, 'legacy/manifests/p256');
        assert.ok(status === 403 || status >= 500, String(status));
        assert.ok(message.length > 0);
      });
      await nested.test('last known good', async () => {
        const { status, headers, message } = await get(house, 'fallback/manifests/key');
        assert.equal(status, 200, message);
        assert.equal(headers.get('docker-content-digest'), digest);
      });
      await nested.test('never for what has not passed before', async () => {
        const { status } = await get(house, 'fallback/manifests/keyless');
        assert.ok(status === 403 || status >= 500, String(status));
      });
      await nested.test('what was admitted by its digest is served from the cache', async () => {
        assert.equal((await get(house, `fallback/manifests/${digest}`)).status, 200);
      });
    },
  );
});
