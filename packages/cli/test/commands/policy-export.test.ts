import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { type Peer, requirePeer } from '../../../../test/peers.ts';
import { call } from './call.ts';
import { emptyFolder, vector } from './run.ts';

interface Ran {
  readonly code: number;
  readonly text: string;
}

async function run(program: string, args: readonly string[]): Promise<Ran> {
  return await new Promise((resolve) => {
    execFile(program, args, { timeout: 60_000 }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, text: `${out}${err}` });
    });
  });
}

function policyText(name: string, images: string, require: string, more = ''): string {
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: ${name} }
spec:
  images: [${images}]
  tree: leaf
${more}  authorities: { dev: { key: { ref: p256.pub } }, qa: { key: { ref: second.pub } } }
  require: ${require}
`;
}

const BY_DEV = '{ signed: { of: [dev] } }';

async function ground() {
  const folder = await emptyFolder();
  const path = (name: string): string => join(folder.path, name);
  for (const key of ['p256', 'second']) await cp(vector(`keys/${key}.pub`), path(`${key}.pub`));
  const exported = async (text: string, ...more: string[]) => {
    await writeFile(path('policy.yaml'), text);
    const args = ['--policy', path('policy.yaml'), '--folder', path('out'), ...more];
    return await call(['policy', 'export', '--format', 'containers-policy', ...args]);
  };
  return { path, exported, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

test('files are written, and what they cannot say is listed', async () => {
  await using at = await ground();
  const text = policyText('a', '{ glob: "a.example/*/x" }', '{ signed: { of: [dev, qa] } }');
  const { code, out, err } = await at.exported(text, '-o', 'json');
  assert.equal(code, 1, err);
  const document = JSON.parse(out);
  assert.equal(document.exact, false);
  assert.deepEqual(document.files, [
    at.path('out/policy.json'),
    at.path('out/registries.d/bulla.yaml'),
  ]);
  assert.deepEqual(
    document.notes.map((note: { effect: string }) => note.effect),
    ['reject'],
  );
});

test('what decides alike there is exit code 0', async () => {
  await using at = await ground();
  const { code, out, err } = await at.exported(policyText('a', '{ glob: "a.example/**" }', BY_DEV));
  assert.equal(code, 0, err);
  assert.deepEqual(out.trim().split('\n'), [
    at.path('out/policy.json'),
    at.path('out/registries.d/bulla.yaml'),
  ]);
});

test('a folder that holds anything is left as it is', async () => {
  await using at = await ground();
  await mkdir(at.path('out'));
  await writeFile(at.path('out/mine'), 'mine');
  const { code, err } = await at.exported(policyText('a', '{ glob: "a.example/**" }', BY_DEV));
  assert.equal(code, 2);
  assert.match(err, /usage\.file/);
  assert.deepEqual(await readdir(at.path('out')), ['mine']);
  assert.deepEqual(
    (await readdir(at.path('.'))).filter((name) => name.includes('tmp')),
    [],
  );
});

test('a namespace is no path', async () => {
  await using at = await ground();
  const text = policyText('a', '{ glob: "a.example/**" }', BY_DEV);
  const { code, err } = await at.exported(text, '--namespace', '../x');
  assert.equal(code, 2);
  assert.match(err, /usage\.invalid/);
});

/** Debian's build knows the requirement and cannot check it (see vectors/skopeo/PROVENANCE). */
const SIGNATURE = /A signature was required|sigstore disabled|[Ss]ignature.*(invalid|not accepted)/;

/** Policies of scopes below one registry, and what a client says that reads them. */
const PULLS: readonly {
  readonly name: string;
  readonly policy: (host: string) => string;
  readonly says: RegExp;
}[] = [
  {
    name: 'an image of a scope that wants a signature, which this build cannot check',
    policy: (host) => policyText('a', `{ glob: "${host}/**" }`, BY_DEV),
    says: SIGNATURE,
  },
  {
    name: 'an image of a repository that wants two signatures',
    policy: (host) =>
      policyText('a', `{ exact: "${host}/app" }`, '{ signed: { atLeast: 2, of: [dev, qa] } }'),
    says: SIGNATURE,
  },
  {
    name: 'an image of a scope that cannot be said',
    policy: (host) => policyText('a', `{ glob: "${host}/*p" }`, BY_DEV),
    says: /rejected by policy/,
  },
  {
    name: 'an image that no scope names',
    policy: () => policyText('a', '{ glob: "other.example/**" }', BY_DEV),
    says: /rejected by policy/,
  },
];

/** How a client is told to take an image by a policy. */
const CLIENTS: Readonly<
  Record<
    'skopeo' | 'podman' | 'buildah',
    (at: {
      readonly policy: string;
      readonly registries: string;
      readonly image: string;
      readonly to: string;
    }) => readonly string[]
  >
> = {
  skopeo: ({ policy, registries, image, to }) => [
    ...['--policy', policy, '--registries.d', registries, 'copy', '--src-tls-verify=false'],
    ...[`docker://${image}`, `dir:${to}/image`],
  ],
  podman: ({ policy, image, to }) => [
    ...['--storage-driver', 'vfs', '--root', `${to}/root`, '--runroot', `${to}/run`],
    ...['pull', '--tls-verify=false', '--signature-policy', policy, image],
  ],
  buildah: ({ policy, image, to }) => [
    ...['--storage-driver', 'vfs', '--root', `${to}/root`, '--runroot', `${to}/run`],
    ...['pull', '--tls-verify=false', '--signature-policy', policy, image],
  ],
};

for (const client of ['skopeo', 'podman', 'buildah'] as const satisfies readonly Peer[]) {
  test(`${client} reads the exported policy, and refuses what it refuses`, async (t) => {
    const program = requirePeer(t, client);
    if (program === null) return;
    await using registry = await startRegistry({ storage: 'memory' });
    const layout = `oci:${vector('oci/cosign-key-legacy')}:p256`;
    const copied = await call(['copy', layout, `${registry.host}/app:v1`]);
    assert.equal(copied.code, 0, copied.err);
    for (const { name, policy, says } of PULLS) {
      await t.test(name, async () => {
        await using at = await ground();
        await at.exported(policy(registry.host));
        await mkdir(at.path('to'));
        const args = CLIENTS[client]({
          policy: at.path('out/policy.json'),
          registries: at.path('out/registries.d'),
          image: `${registry.host}/app:v1`,
          to: at.path('to'),
        });
        const { code, text } = await run(program, args);
        assert.notEqual(code, 0, text);
        assert.match(text, says);
        // A file that is not understood refuses too, and would prove nothing.
        assert.doesNotMatch(text, /invalid policy|[Uu]nknown (key|policy)|parsing/);
      });
    }
  });
}
