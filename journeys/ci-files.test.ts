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
    steps: (text) => {
      const lines = text.split('\n');
      const from = lines.findIndex((line) => line.trim() === '- name: Log in');
      assert.ok(from > 0);
      return lines.flatMap((line, at) =>
        at > from && /^ {8}run: /.test(line) ? [scalar(lines, at, 'run:')] : [],
      );
    },
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
    steps: (text) => {
      const lines = text.split('\n');
      const from = lines.lastIndexOf('  script:');
      assert.ok(from > 0);
      return lines.flatMap((line, at) =>
        at > from && /^ {4}- /.test(line) ? [scalar(lines, at, '- ')] : [],
      );
    },
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
