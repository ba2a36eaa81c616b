// cosign and oras before the running server in enforce: they push, sign, attach and verify through the
// gateway, and policies decide by what cosign wrote. Both are optional peers.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pushImage } from '../demo/image.ts';
import { type Peer, requirePeer } from '../test/peers.ts';
import { openRepository } from './artifact.ts';
import { pullToken, type RunningServer, signInOwner, startUp, type TokenWanted } from './server.ts';
import { type Environment, openStage, peerSucceeds, ROOT, type Stage } from './stage.ts';

const TRUST = join(ROOT, 'vectors/cosign/trust');
const ROOT_OPTION = ['--trusted-root', join(TRUST, 'trusted_root.json')];
const NO_SERVICES = [
  ...['--signing-config', join(TRUST, 'signing_config.none.json')],
  ...ROOT_OPTION,
  '--yes',
];
const LEGACY = [
  ...['--new-bundle-format=false', '--use-signing-config=false'],
  ...['--tlog-upload=false', '--yes'],
];
const BUILD_TYPE = 'https://ci.example/build';

interface House extends AsyncDisposable {
  readonly stage: Stage;
  readonly server: RunningServer;
  /** What a program is given that logged in with a token of these rights. */
  readonly loggedIn: (...actions: TokenWanted['actions']) => Promise<Environment>;
  /** `admitted` to whoever may pull, or the code of the refusal. */
  readonly pull: (repository: string) => Promise<string>;
}

/** The policies trust cosign's key, for what stands below `attested/` only with what was attested. */
function policies(pub: string): string {
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: signed }
spec:
  images: [{ glob: "**" }]
  authorities: { ci: { key: { ref: "${pub}" } } }
  require: { signed: { of: [ci] } }
---
apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: attested }
spec:
  images: [{ glob: "*/attested/*" }]
  authorities: { ci: { key: { ref: "${pub}" } } }
  require:
    all:
      - attested:
          type: slsaprovenance1
          by: [ci]
          where: "predicate.buildDefinition.buildType == '${BUILD_TYPE}'"
      - attested: { type: vuln, by: [ci], vulnerabilities: { critical: 0 } }
`;
}

async function openHouse(cosign: string): Promise<House> {
  const stage = await openStage();
  await peerSucceeds(stage, cosign, ['generate-key-pair', '--output-key-prefix', 'theirs']);
  await stage.write('policies/all.yaml', policies(stage.path('theirs.pub')));
  const server = await startUp(stage, { policies: ['policies'] });
  const owner = await signInOwner(server);
  const loggedIn: House['loggedIn'] = async (...actions) => {
    const name = actions.join('-');
    const secret = await owner.makeToken({ name, repository: '**', actions });
    const auth = Buffer.from(`token:${secret}`).toString('base64');
    const auths = JSON.stringify({ auths: { [server.host]: { auth } } });
    await stage.write(`${name}/config.json`, auths);
    return { DOCKER_CONFIG: stage.path(name) };
  };
  return {
    stage,
    server,
    loggedIn,
    async pull(repository) {
      const headers = await pullToken(server, repository);
      const path = `/v2/${repository}/manifests/v1`;
      const answer = await fetch(`${server.origin}${path}`, { headers });
      if (answer.status === 200) return 'admitted';
      const { errors } = (await answer.json()) as { errors: [{ detail: { code: string } }] };
      return errors[0].detail.code;
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await stage[Symbol.asyncDispose]();
    },
  };
}

async function pushTo({ server }: House, repository: string): Promise<string> {
  const name = `${server.host}/${repository}`;
  await pushImage(await openRepository(name, server.pushToken), 'v1', repository);
  return `${name}:v1`;
}

function provenance(buildType: string): string {
  const runDetails = { builder: { id: 'https://ci.example/runner' } };
  return JSON.stringify({
    buildDefinition: { buildType, externalParameters: {}, resolvedDependencies: [] },
    runDetails,
  });
}

function scan(severity: string): string {
  const found = { VulnerabilityID: 'CVE-2026-1', PkgName: 'a', InstalledVersion: '1' };
  const result = {
    SchemaVersion: 2,
    Results: [{ Vulnerabilities: [{ ...found, Severity: severity }] }],
  };
  const at = '2026-11-01T00:00:00Z';
  return JSON.stringify({
    scanner: { uri: 'trivy', version: '0.50', db: {}, result },
    metadata: { scanStartedOn: at, scanFinishedOn: at },
  });
}

function peersOf(t: TestContext, ...names: readonly Peer[]): readonly string[] | null {
  const found = names.map((name) => requirePeer(t, name));
  const all = found.filter((one) => one !== null);
  return all.length === found.length ? all : null;
}

test('cosign signs through the gateway what it refuses, and policies admit it then', async (t) => {
  const [cosign] = peersOf(t, 'cosign') ?? [];
  if (cosign === undefined) return;
  await using house = await openHouse(cosign);
  const { stage } = house;
  const signer = await house.loggedIn('pull', 'push', 'sign');
  const pusher = await house.loggedIn('pull', 'push');
  const nobody = { DOCKER_CONFIG: stage.path('none') };
  for (const [format, how] of [
    ['bundle', NO_SERVICES],
    ['legacy', LEGACY],
  ] as const) {
    await t.test(format, async () => {
      const image = await pushTo(house, `team/${format}`);
      const sign = ['sign', '--key', 'theirs.key', ...how, image];
      assert.equal(await house.pull(`team/${format}`), 'signature.none');
      const refused = await stage.run(cosign, sign, pusher);
      assert.notEqual(refused.code, 0, 'push alone does not read what is refused');
      assert.match(refused.all, /refused by policy signed/);
      await peerSucceeds(stage, cosign, sign, signer);
      assert.equal(await house.pull(`team/${format}`), 'admitted');
      const old = format === 'legacy' ? ['--new-bundle-format=false'] : ROOT_OPTION;
      const verify = ['verify', '--key', 'theirs.pub', '--insecure-ignore-tlog=true', ...old];
      await peerSucceeds(stage, cosign, [...verify, image], nobody);
      await stage.succeeds(['verify', '--key', 'theirs.pub', image]);
    });
  }
});

test('policies decide by what cosign attests through the gateway', async (t) => {
  const [cosign] = peersOf(t, 'cosign') ?? [];
  if (cosign === undefined) return;
  await using house = await openHouse(cosign);
  const { stage } = house;
  const signer = await house.loggedIn('pull', 'push', 'sign');
  const cases = [
    { name: 'good', buildType: BUILD_TYPE, severity: 'LOW', expect: 'admitted' },
    {
      name: 'elsewhere',
      buildType: 'https://other.example/build',
      severity: 'LOW',
      expect: 'statement.where-false',
    },
    {
      name: 'holed',
      buildType: BUILD_TYPE,
      severity: 'CRITICAL',
      expect: 'statement.vulnerabilities',
    },
  ];
  for (const { name, buildType, severity, expect } of cases) {
    await t.test(`${name}: ${expect}`, async () => {
      const image = await pushTo(house, `attested/${name}`);
      await stage.write('slsaprovenance1.json', provenance(buildType));
      await stage.write('vuln.json', scan(severity));
      const own = ['--key', 'theirs.key', ...NO_SERVICES, image];
      await peerSucceeds(stage, cosign, ['sign', ...own], signer);
      assert.equal(await house.pull(`attested/${name}`), 'statement.missing');
      for (const type of ['slsaprovenance1', 'vuln']) {
        const statement = ['--type', type, '--predicate', `${type}.json`];
        await peerSucceeds(stage, cosign, ['attest', ...statement, ...own], signer);
      }
      assert.equal(await house.pull(`attested/${name}`), expect);
    });
  }
});

test('oras pushes again what is refused, and attaches and reads with the rights for it', async (t) => {
  const [cosign, oras] = peersOf(t, 'cosign', 'oras') ?? [];
  if (cosign === undefined || oras === undefined) return;
  await using house = await openHouse(cosign);
  const { stage, server } = house;
  const pusher = await house.loggedIn('pull', 'push');
  const signer = await house.loggedIn('pull', 'push', 'sign');
  const nobody = { DOCKER_CONFIG: stage.path('none') };
  const artifact = `${server.host}/team/artifact:v1`;
  await stage.write('a.txt', 'an artifact');
  await stage.write('sbom.json', '{}');
  const plain = ['--plain-http', artifact];
  const push = ['push', ...plain, 'a.txt:text/plain'];
  // The second looks, without credentials at first, for what is there and refused.
  await peerSucceeds(stage, oras, push, pusher);
  await peerSucceeds(stage, oras, push, pusher);
  const attach = ['attach', '--artifact-type', 'application/x.sbom', ...plain];
  await peerSucceeds(stage, oras, [...attach, 'sbom.json:application/json'], signer);
  const pull = ['pull', ...plain, '-o', 'pulled'];
  for (const env of [pusher, nobody]) {
    const refused = await stage.run(oras, pull, env);
    assert.notEqual(refused.code, 0);
    assert.match(refused.all, /refused by policy signed/);
  }
  await peerSucceeds(
    stage,
    cosign,
    ['sign', '--key', 'theirs.key', ...NO_SERVICES, artifact],
    signer,
  );
  await peerSucceeds(stage, oras, pull, nobody);
  const found = await peerSucceeds(stage, oras, ['discover', '--format', 'json', ...plain], nobody);
  const listed = JSON.parse(found) as { referrers: { artifactType: string; digest: string }[] };
  const sbom = listed.referrers.find(({ artifactType }) => artifactType === 'application/x.sbom');
  assert.ok(sbom !== undefined, found);
  // What is attached is no signature material, and is judged as an image is.
  const attached = `${server.host}/team/artifact@${sbom.digest}`;
  const refused = await stage.run(oras, ['pull', '--plain-http', attached, '-o', 'sbom'], nobody);
  assert.match(refused.all, /refused by policy signed/);
});
