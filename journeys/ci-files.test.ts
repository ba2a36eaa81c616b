// The shell steps of docs/ci/ are run as they stand there, with the variables of their platform.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { openRepository, pushSmallImage } from './artifact.ts';
import {
  type Environment,
  makeKey,
  openStage,
  PASSPHRASE,
  ROOT,
  type Run,
  type Stage,
} from './stage.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

interface Pipeline {
  readonly file: string;
  /** The shell steps that need no builder and no installation, in their order. */
  readonly steps: (text: string) => readonly string[];
  readonly env: (repository: string, digest: string) => Environment;
}

/** The shell steps of GitHub's file from its log-in on. */
function githubSteps(text: string): readonly string[] {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.trim() === '- name: Log in');
  assert.ok(from > 0);
  return lines.flatMap((line, at) =>
    at > from && /^ {8}run: /.test(line) ? [scalar(lines, at, 'run:')] : [],
  );
}

/** The script of GitLab's last job. */
function gitlabSteps(text: string): readonly string[] {
  const lines = text.split('\n');
  const from = lines.lastIndexOf('  script:');
  assert.ok(from > 0);
  return lines.flatMap((line, at) =>
    at > from && /^ {4}- /.test(line) ? [scalar(lines, at, '- ')] : [],
  );
}

/** The text of a YAML value that begins at `line`: the rest of the line, or the block below it. */
function scalar(lines: readonly string[], line: number, key: string): string {
  const head = lines[line] ?? '';
  const value = head.slice(head.indexOf(key) + key.length).trim();
  if (value !== '|') return value;
  const rest = lines.slice(line + 1);
  const depth = rest[0]?.search(/\S/) ?? 0;
  const end = rest.findIndex((text) => text.trim() !== '' && text.search(/\S/) < depth);
  const block = end < 0 ? rest : rest.slice(0, end);
  return block.map((text) => text.slice(depth)).join('\n');
}

const PIPELINES: readonly Pipeline[] = [
  {
    file: 'github.yml',
    steps: githubSteps,
    env: (repository, digest) => ({
      REGISTRY: repository.split('/')[0] ?? '',
      REGISTRY_USER: 'ci',
      REGISTRY_PASSWORD: 'a token',
      IMAGE: repository,
      DIGEST: digest,
      GITHUB_SHA: COMMIT,
      GITHUB_REF: 'refs/tags/v1.0.0',
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_REPOSITORY: 'acme/app',
      GITHUB_WORKFLOW_REF: 'acme/app/.github/workflows/release.yml@refs/tags/v1.0.0',
      GITHUB_RUN_ID: '42',
    }),
  },
  {
    file: 'gitlab.yml',
    steps: gitlabSteps,
    env: (repository, digest) => ({
      CI_REGISTRY: repository.split('/')[0] ?? '',
      CI_REGISTRY_USER: 'ci',
      CI_REGISTRY_PASSWORD: 'a token',
      CI_REGISTRY_IMAGE: repository,
      DIGEST: digest,
      CI_COMMIT_SHA: COMMIT,
      CI_PROJECT_URL: 'https://gitlab.example/acme/app',
      CI_JOB_NAME: 'release',
      CI_JOB_URL: 'https://gitlab.example/acme/app/-/jobs/42',
    }),
  },
];

/** Runs the steps as a runner does: each in its own shell, until one fails. */
async function runSteps(stage: Stage, steps: readonly string[], env: Environment): Promise<Run> {
  let last: Run | undefined;
  for (const step of steps) {
    last = await stage.run('bash', ['-eo', 'pipefail', '-c', step], env);
    if (last.code !== 0) return last;
  }
  assert.ok(last !== undefined, 'the file has no steps');
  return last;
}

for (const { file, steps, env } of PIPELINES) {
  test(`docs/ci/${file}: its steps sign, attest, verify and move the tag`, async (t) => {
    const text = await readFile(join(ROOT, 'docs/ci', file), 'utf8');
    const shell = steps(text);
    const order = shell.join('\n').match(/bulla (login|sign|attest|verify|copy)/g);
    const attested = ['bulla attest', 'bulla attest'];
    const verified = ['bulla verify', 'bulla verify', 'bulla verify'];
    assert.deepEqual(order, ['bulla login', 'bulla sign', ...attested, ...verified, 'bulla copy']);
    // An expression inside of a script would let a tag's name write shell.
    assert.doesNotMatch(shell.join('\n'), /\$\{\{/);

    await using registry = await startRegistry({ storage: 'memory' });
    await using stage = await openStage();
    const { key, pub } = await makeKey(stage, 'bulla', { encrypted: true });
    await stage.write('sbom.cdx.json', '{"bomFormat":"CycloneDX","specVersion":"1.5"}');
    const secrets = { BULLA_KEY: await readFile(key, 'utf8'), BULLA_PASSPHRASE: PASSPHRASE };
    const repository = `${registry.host}/acme/app`;
    const digest = await pushSmallImage(repository, 'v1.0.0');
    const latest = async () => (await openRepository(repository)).resolve('latest');

    await t.test('the tag stays where it is when the verification refuses', async () => {
      const own = await readFile(pub);
      await makeKey(stage, 'stranger');
      await stage.write('bulla.pub', await readFile(stage.path('stranger.pub')));
      const run = await runSteps(stage, shell, { ...env(repository, digest), ...secrets });
      assert.equal(run.code, 1, run.all);
      assert.equal(await latest(), null);
      await stage.write('bulla.pub', own);
    });
    await t.test('the tag moves when everything held', async () => {
      const run = await runSteps(stage, shell, { ...env(repository, digest), ...secrets });
      assert.equal(run.code, 0, run.all);
      assert.equal((await latest())?.digest, digest);
      await stage.succeeds(['verify', '--key', pub, `${repository}:latest`]);
    });
  });
}

const GATE_POLICY = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata:
  name: production
spec:
  images: [{ glob: "**" }]
  environments: [production]
  authorities: { release: { key: { ref: release.pub } } }
  require: { signed: { of: [release] } }
`;

/** A policy test about evidence that lies beside it: nothing is fetched for it. */
const GATE_TEST = `policy: ../policy.yaml
cases:
  - name: a release
    dossier: evidence.jsonl
    as: registry.example/app:v1
    expect: admit
`;

const GATES = [
  {
    file: 'gate-github.yml',
    steps: githubSteps,
    env: (host: string) => ({ REGISTRY: host, REGISTRY_USER: 'ci', REGISTRY_PASSWORD: 'a token' }),
  },
  {
    file: 'gate-gitlab.yml',
    steps: gitlabSteps,
    env: (host: string) => ({
      CI_REGISTRY: host,
      CI_REGISTRY_USER: 'ci',
      CI_REGISTRY_PASSWORD: 'a token',
    }),
  },
];

for (const { file, steps, env } of GATES) {
  test(`docs/ci/${file}: its steps test the policies and gate what a change names`, async (t) => {
    const shell = steps(await readFile(join(ROOT, 'docs/ci', file), 'utf8'));
    const order = shell.join('\n').match(/bulla (login|policy [a-z]+|gate)/g);
    const policy = ['check', 'fmt', 'test'].map((verb) => `bulla policy ${verb}`);
    assert.deepEqual(order, ['bulla login', ...policy, 'bulla gate']);
    assert.doesNotMatch(shell.join('\n'), /\$\{\{/);

    await using registry = await startRegistry({ storage: 'memory' });
    await using stage = await openStage();
    const { key, pub } = await makeKey(stage, 'release');
    const image = (name: string) => `${registry.host}/acme/${name}:v1`;
    for (const name of ['base', 'app']) {
      await pushSmallImage(`${registry.host}/acme/${name}`, 'v1', name);
      await stage.succeeds(['sign', '--key', key, image(name)]);
    }
    await pushSmallImage(`${registry.host}/acme/unsigned`, 'v1');
    await stage.write('policies/policy.yaml', GATE_POLICY);
    await stage.write('policies/release.pub', await readFile(pub));
    await stage.write('policies/tests/release.test.yaml', GATE_TEST);
    const evidence = stage.path('policies/tests/evidence.jsonl');
    const save = ['--save-evidence', evidence, image('app')];
    await stage.succeeds(['gate', '--policy', stage.path('policies'), ...save]);
    const write = async (base: string, app: string) => {
      await stage.write('Dockerfile', `FROM ${base}\n`);
      const container = `{ name: app, image: "${app}" }`;
      await stage.write('deploy/app.yaml', `kind: Pod\nspec: { containers: [${container}] }\n`);
    };

    for (const { name, base, app, exit } of [
      { name: 'all is signed', base: 'base', app: 'app', exit: 0 },
      { name: 'a base that is not', base: 'unsigned', app: 'app', exit: 1 },
      { name: 'a deployment that is not', base: 'base', app: 'unsigned', exit: 1 },
    ]) {
      await t.test(name, async () => {
        await write(image(base), image(app));
        const run = await runSteps(stage, shell, env(registry.host));
        assert.equal(run.code, exit, run.all);
      });
    }
    await t.test('a policy that no longer decides as its tests say', async () => {
      await stage.write('policies/policy.yaml', GATE_POLICY.replace('"**"', '"a.example/**"'));
      const run = await runSteps(stage, shell, env(registry.host));
      assert.equal(run.code, 1);
      assert.match(run.all, /^FAIL a release /m);
    });
  });
}
