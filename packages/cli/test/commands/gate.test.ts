import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Registry, startRegistry } from '@bulla/server/registry';
import { violations } from '../../../../journeys/json-schema.ts';
import { call } from './call.ts';
import { bulla, emptyFolder, vector } from './run.ts';

/** A policy that `dev` must sign, by its mode; `more` are further lines of its spec. */
function policyText(name: string, mode: string, more = ''): string {
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: ${name} }
spec:
  images: [{ glob: "**" }]
  mode: ${mode}
${more}  authorities: { dev: { key: { ref: p256.pub } } }
  require: { signed: { of: [dev] } }
`;
}

interface Ground extends AsyncDisposable {
  readonly registry: Registry;
  /** Signed by dev; by another; not there; in a registry that is away. */
  readonly images: Readonly<Record<'good' | 'bad' | 'gone' | 'away', string>>;
  path(name: string): string;
  write(name: string, text: string): Promise<string>;
  gate(args: readonly string[], stdin?: string): ReturnType<typeof bulla>;
}

async function ground(): Promise<Ground> {
  const folder = await emptyFolder();
  const registry = await startRegistry({ storage: 'memory' });
  const path = (name: string) => join(folder.path, name);
  const write = async (name: string, text: string) => {
    await writeFile(path(name), text);
    return path(name);
  };
  await cp(vector('keys/p256.pub'), path('p256.pub'));
  for (const mode of ['enforce', 'warn', 'audit']) {
    await write(`${mode}.yaml`, policyText(mode, mode));
  }
  const layout = `oci:${vector('oci/cosign-key-legacy')}`;
  for (const [ref, name] of [
    ['p256', 'good'],
    ['p384', 'bad'],
  ]) {
    const { code, err } = await call(['copy', `${layout}:${ref}`, `${registry.host}/${name}:v1`]);
    assert.equal(code, 0, err);
  }
  return {
    registry,
    path,
    write,
    images: {
      good: `${registry.host}/good:v1`,
      bad: `${registry.host}/bad:v1`,
      gone: `${registry.host}/good:gone`,
      away: '127.0.0.1:1/app:v1',
    },
    gate(args, stdin) {
      const paths = args.map((arg) => (arg.endsWith('.yaml') ? path(arg) : arg));
      // A standard input is of a process; all else is the same command in this one.
      if (stdin === undefined) return call(['gate', ...paths]);
      return bulla(['gate', ...paths], {}, `exec < '${stdin}'`);
    },
    async [Symbol.asyncDispose]() {
      await registry.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const EXITS: readonly {
  readonly name: string;
  readonly policy: string;
  readonly images: readonly (keyof Ground['images'] | 'malformed')[];
  readonly exit: number;
  readonly says: RegExp;
}[] = [
  { name: 'signed', policy: 'enforce', images: ['good'], exit: 0, says: /^ADMIT .*\n$/ },
  {
    name: 'signed by another',
    policy: 'enforce',
    images: ['bad'],
    exit: 1,
    says: /^DENY [\s\S]*signature {2}.*no signature of 1 was made by it/,
  },
  { name: 'not there', policy: 'enforce', images: ['gone'], exit: 1, says: /^DENY / },
  { name: 'away', policy: 'enforce', images: ['away'], exit: 3, says: /^DENY [\s\S]*inconclusive/ },
  {
    name: 'one refused and one away',
    policy: 'enforce',
    images: ['away', 'bad', 'good'],
    exit: 1,
    says: /^DENY [\s\S]*^DENY [\s\S]*^ADMIT /m,
  },
  {
    name: 'a reference that is none, and the others all the same',
    policy: 'enforce',
    images: ['malformed', 'good'],
    exit: 2,
    says: /^ADMIT /,
  },
  {
    name: 'not satisfied, and the policy warns',
    policy: 'warn',
    images: ['bad'],
    exit: 0,
    says: /^ADMIT [\s\S]*fail {2}policy\.warn [\s\S]*^warning: policy warn /m,
  },
  {
    name: 'not satisfied, and the policy records',
    policy: 'audit',
    images: ['bad'],
    exit: 0,
    says: /^ADMIT [\s\S]*^warning: policy audit /m,
  },
  {
    name: 'away, and the policy warns',
    policy: 'warn',
    images: ['away'],
    exit: 0,
    says: /^ADMIT [\s\S]*^warning: policy warn .*cannot be decided/m,
  },
];

test('exit codes are those of verify; warn and audit print their finding and exit with 0', async (t) => {
  await using at = await ground();
  for (const { name, policy, images, exit, says } of EXITS) {
    await t.test(name, async () => {
      const named = images.map((image) => (image === 'malformed' ? 'A:B:C' : at.images[image]));
      const { code, out, err } = await at.gate(['--policy', `${policy}.yaml`, ...named]);
      assert.equal(code, exit, out + err);
      assert.match(out, says);
    });
  }
  await t.test('a policy that refuses is not outweighed by one that warns', async () => {
    const policies = ['--policy', 'warn.yaml', '--policy', 'enforce.yaml'];
    assert.equal((await at.gate([...policies, at.images.bad])).code, 1);
  });
  await t.test('what no policy covers is refused', async () => {
    await at.write('other.yaml', policyText('other', 'audit').replace('**', 'a.example/**'));
    const { code, out } = await at.gate(['--policy', 'other.yaml', at.images.good]);
    assert.equal(code, 1);
    assert.match(out, /none of 1 policies covers/);
  });
});

test('policies of another environment are for that alone; a gate that was told of none meets all', async () => {
  await using at = await ground();
  const more = '  environments: [production]\n';
  await at.write('tier.yaml', policyText('tier', 'enforce', more));
  const policies = ['--policy', 'audit.yaml', '--policy', 'tier.yaml'];
  const exitOf = async (...args: string[]) => (await at.gate([...policies, ...args])).code;
  assert.equal(await exitOf(at.images.bad), 1);
  assert.equal(await exitOf(at.images.bad, '--environment', 'production'), 1);
  assert.equal(await exitOf(at.images.bad, '--environment', 'staging'), 0);
});

test('every image that a build pulls is decided about once, and says where it is named', async () => {
  await using at = await ground();
  const dockerfile = await at.write(
    'Dockerfile',
    [
      'ARG TAG=v1',
      `FROM ${at.registry.host}/good:$TAG AS build`,
      `FROM ${at.images.bad}`,
      'COPY --from=build /a /a',
      `COPY --from=${at.images.good} /b /b`,
      'FROM scratch',
    ].join('\n'),
  );
  const asked = ['--policy', 'enforce.yaml', '--dockerfile'];
  for (const [args, stdin] of [
    [[...asked, dockerfile, at.images.good], undefined],
    [[...asked, '-', at.images.good], dockerfile],
  ] as const) {
    const { code, out } = await at.gate(args, stdin);
    assert.equal(code, 1);
    assert.equal(out.match(/^(ADMIT|DENY) /gm)?.length, 2, out);
    assert.match(out, /^ADMIT .*line 2.*line 5/m);
    assert.match(out, /^DENY .*line 3/m);
  }
  const gone = await at.gate([...asked, dockerfile, '--build-arg', 'TAG=gone', '-o', 'json']);
  const { decisions } = JSON.parse(gone.out);
  assert.deepEqual(
    decisions.map(({ reference, outcome }: Record<string, string>) => [reference, outcome]),
    [
      [at.images.gone, 'deny'],
      [at.images.bad, 'deny'],
      [at.images.good, 'admit'],
    ],
  );
});

test('every image of a manifest is decided about, and a kind that is not known is noted', async () => {
  await using at = await ground();
  const pod = (image: string) => `{ containers: [{ name: a, image: "${image}" }] }`;
  const manifest = await at.write(
    'deploy.yml',
    `kind: Pod
spec: ${pod(at.images.good)}
---
kind: Deployment
spec: { template: { spec: ${pod(at.images.good)} } }
---
kind: Widget
spec: { image: another:v1 }
`,
  );
  const asked = ['--policy', 'enforce.yaml', '--manifest', manifest];
  const { code, out, err } = await at.gate(asked);
  assert.equal(code, 0, err);
  assert.equal(out.match(/^ADMIT /gm)?.length, 1, out);
  assert.match(err, /^note: .*Widget/m);
  const compose = await at.write('compose.yml', `services: { web: { image: "${at.images.bad}" } }`);
  assert.equal((await at.gate([...asked, '--manifest', compose])).code, 1);
});

test('a signed folder beside a file is no image that the file names', async () => {
  await using at = await ground();
  const layout = vector('oci/cosign-key-legacy');
  // Nothing covers Docker Hub, which is therefore refused unasked.
  await at.write('here.yaml', policyText('here', 'enforce').replace('**', 'registry.example/**'));
  await at.write(
    'folders.yaml',
    policyText('any', 'enforce').replace('glob: "**"', 'regex: "oci:.*"'),
  );
  const dockerfile = await at.write('Dockerfile', `FROM oci:${layout}:p256\n`);
  const compose = await at.write('c.yml', `services: { a: { image: "oci:${layout}:p256" } }\n`);
  const asked = ['--policy', 'here.yaml', '--policy', 'folders.yaml'];
  const named = await at.gate([...asked, `oci:${layout}:p256`]);
  assert.equal(named.code, 0, named.err);
  for (const file of [
    ['--dockerfile', dockerfile],
    ['--manifest', compose],
  ]) {
    const { code, err } = await at.gate([...asked, ...file]);
    assert.notEqual(code, 0, err);
  }
  const short = await at.write('Short', 'FROM oci:x\n');
  const { code, out } = await at.gate([...asked, '--dockerfile', short]);
  assert.equal(code, 1);
  assert.match(out, /docker\.io\/library\/oci/);
});

test('a file beside the one that is gated cannot change what it names', async () => {
  await using at = await ground();
  const asked = ['--policy', 'enforce.yaml'];
  const text = `services: { web: { image: "\${BULLA_TEST_IMAGE:-${at.images.good}}" } }`;
  const compose = ['--manifest', await at.write('compose.yml', text)];
  assert.equal((await at.gate([...asked, ...compose])).code, 0);
  await at.write('.env', `OTHER=x\nexport BULLA_TEST_IMAGE=${at.images.bad}\n`);
  const hidden = await at.gate([...asked, ...compose]);
  assert.equal(hidden.code, 2, hidden.out);
  assert.match(hidden.err, /images\.variable-unset/);
  const cpp = await at.write('Dockerfile.in', `#include "x"\nFROM ${at.images.good}\n`);
  const { code, err } = await at.gate([...asked, '--dockerfile', cpp]);
  assert.equal(code, 2);
  assert.match(err, /images\.dockerfile-malformed/);
});

test('what is not there to be decided about is no pass', async () => {
  await using at = await ground();
  const empty = await at.write('empty.yml', 'kind: ConfigMap\n');
  const scratch = await at.write('Dockerfile', 'FROM scratch\n');
  const asked = ['--policy', 'enforce.yaml'];
  for (const args of [[], ['--manifest', empty], ['--dockerfile', scratch]]) {
    const { code, out, err } = await at.gate([...asked, ...args]);
    assert.notEqual(code, 0, args.join(' '));
    assert.equal(out, '');
    assert.match(err, /images\.none/);
  }
  assert.equal((await at.gate([at.images.good])).code, 2);
  assert.equal((await at.gate(['--policy', 'gone.yaml', at.images.good])).code, 2);
});

test('JSON output is what its published schema says, and saved evidence is one line an image', async () => {
  await using at = await ground();
  const url = new URL('../../../../docs/schemas/decision.schema.json', import.meta.url);
  const evidence = at.path('evidence.jsonl');
  const args = ['--policy', 'enforce.yaml', '--save-evidence', evidence, '-o', 'json'];
  const { out } = await at.gate([...args, at.images.good, at.images.bad, at.images.gone]);
  const document = JSON.parse(out);
  assert.deepEqual(violations(JSON.parse(await readFile(url, 'utf8')), document), []);
  const lines = (await readFile(evidence, 'utf8')).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).root),
    document.decisions.map(({ digest }: { digest: string | null }) => digest),
  );
});
