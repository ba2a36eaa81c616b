import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { violations } from '../../../../journeys/json-schema.ts';
import { call } from './call.ts';
import { emptyFolder, vector } from './run.ts';

const POLICY = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: prod }
spec:
  images: [{ glob: "**" }]
  authorities:
    release: { key: { ref: release.pub } }
    dev: { key: { ref: p256.pub } }
    security: { key: { ref: security.pub } }
  require: { all: [ { signed: { of: [dev] } }, { signed: { of: [release] } } ] }
  exceptions: { approvers: [security], maxDuration: 48h }
`;

async function ground() {
  const folder = await emptyFolder();
  const registry = await startRegistry({ storage: 'memory' });
  const path = (name: string) => join(folder.path, name);
  const run = async (...args: readonly string[]) => call(args, { BULLA_PASSPHRASE: 'x' });
  const ok = async (...args: readonly string[]) => {
    const done = await run(...args);
    assert.equal(done.code, 0, `${args.join(' ')}\n${done.out}${done.err}`);
    return done.out;
  };
  for (const name of ['release', 'security', 'requester']) {
    await ok('key', 'generate', '--plain', '--output-key-prefix', path(name));
  }
  await cp(vector('keys/p256.pub'), path('p256.pub'));
  await writeFile(path('policy.yaml'), POLICY);
  const image = `${registry.host}/app`;
  await ok('copy', `oci:${vector('oci/cosign-key-legacy')}:p256`, `${image}:v1`);
  const { digest } = JSON.parse(
    (await run('gate', '--policy', path('policy.yaml'), `${image}:v1`, '-o', 'json')).out,
  ).decisions[0];
  const request = (...more: readonly string[]) => [
    'exception',
    'request',
    `${image}@${digest}`,
    ...['--name', 'late-release', '--for-policy', 'prod', '--clause', 'require.all[1]'],
    ...['--policy', path('policy.yaml')],
    ...['--identity', 'dev@acme.example', '--reason', 'the signer is down'],
    ...['--control', 'canary only', '--until', '24h', '--key', path('requester.key')],
    ...['--write', path('request.json'), ...more],
  ];
  const approve = (...more: readonly string[]) => [
    ...['exception', 'approve', path('request.json'), '--identity', 'sec@acme.example'],
    ...['--key', path('security.key'), '--write', path('approved.json'), ...more],
  ];
  return {
    ...{ path, run, ok, image, digest, request, approve },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function schemaOf(name: string) {
  const file = new URL(`../../../../docs/schemas/${name}.schema.json`, import.meta.url);
  return JSON.parse(await readFile(file, 'utf8'));
}

test('a request, its approval, and the image that it lets through', async () => {
  await using at = await ground();
  const { path, run, ok, image } = at;
  const gate = (...more: readonly string[]) =>
    run('gate', '--policy', path('policy.yaml'), `${image}:v1`, ...more);
  assert.equal((await gate()).code, 1);
  await ok(...at.request());
  const early = await gate('--exception', path('request.json'));
  assert.equal(early.code, 1);
  assert.match(early.out, /nobody has approved it/);
  // Without a terminal nobody has seen what is approved.
  const unasked = await run(...at.approve());
  assert.equal(unasked.code, 2);
  assert.match(unasked.err, /usage\.invalid/);
  assert.match(await ok(...at.approve('--yes')), /the signer is down/);
  const late = await gate('--exception', path('approved.json'));
  assert.equal(late.code, 0, late.out + late.err);
  assert.match(late.out, /warning: policy prod: EXCEPTION late-release/);
  // A folder holds it as well, and what else there is in it is wrong use.
  assert.equal((await gate('--exception', path('gone'))).code, 2);
  const json = await gate('--exception', path('approved.json'), '-o', 'json');
  const document = JSON.parse(json.out);
  assert.deepEqual(violations(await schemaOf('decision'), document), []);
  assert.deepEqual(document.decisions[0].exceptions[0].clauses, ['require.all[1]']);
});

test('policies explain and simulate an image with the exception as the gate decides it', async () => {
  await using at = await ground();
  const { path, run, ok, image } = at;
  await ok(...at.request());
  await ok(...at.approve('--yes'));
  const policy = ['--policy', path('policy.yaml')];
  const given = ['--exception', path('approved.json')];
  const without = await run('policy', 'explain', ...policy, `${image}:v1`);
  assert.equal(without.code, 1);
  assert.match(without.out, /require\.all\[1\]/);
  const explained = await run('policy', 'explain', ...policy, ...given, `${image}:v1`);
  assert.equal(explained.code, 0, explained.out);
  await writeFile(path('images.txt'), `${image}:v1\n`);
  const simulate = ['policy', 'simulate', ...policy, '--images', path('images.txt'), '-o', 'json'];
  const changes = async (...more: readonly string[]) =>
    JSON.parse((await run(...simulate, ...more)).out).changes.map(
      ({ change }: { change: string }) => change,
    );
  assert.deepEqual(await changes(), ['refused']);
  assert.deepEqual(await changes(...given), []);
});

test('a case of policy tests names the exceptions that are at hand, and until when one lets in', async () => {
  await using at = await ground();
  const { path, run, ok, image } = at;
  await ok(...at.request());
  await ok(...at.approve('--yes'));
  const asked = (name: string, expect: string, more = '') =>
    `  - { name: ${name}, image: "${image}:v1", ${more}expect: ${expect} }\n`;
  const text = (...cases: readonly string[]) => `policy: policy.yaml\ncases:\n${cases.join('')}`;
  const given = 'exceptions: [approved.json], ';
  const later = new Date(Date.now() + 25 * 3600_000).toISOString();
  await writeFile(
    path('a.test.yaml'),
    text(
      asked('without', '{ outcome: deny }'),
      asked('with it', 'admit', given),
      asked(
        'a request',
        '{ outcome: deny, code: exception.approval-missing }',
        'exceptions: request.json, ',
      ),
      asked(
        'after its end',
        '{ outcome: deny, code: exception.expired }',
        `${given}at: ${later}, `,
      ),
    ),
  );
  assert.match(await ok('policy', 'test', path('a.test.yaml')), /4 ok/);
  // A file that is not there is a mistake of the test, and no exception that lifts nothing.
  await writeFile(path('b.test.yaml'), text(asked('gone', 'deny', 'exceptions: [gone.json], ')));
  assert.equal((await run('policy', 'test', path('b.test.yaml'))).code, 2);
});

test('a document is shown with its signatures, and checked against the policies that it names', async () => {
  await using at = await ground();
  const { path, run, ok } = at;
  await ok(...at.request());
  const show = async (file: string) => {
    const { out, code } = await run('exception', 'show', path(file), '-o', 'json');
    const document = JSON.parse(out);
    assert.deepEqual(violations(await schemaOf('exception'), document), []);
    return { code, document };
  };
  const check = async (file: string) => {
    const args = ['exception', 'check', '--policy', path('policy.yaml'), path(file), '-o', 'json'];
    const { out, code } = await run(...args);
    const document = JSON.parse(out);
    assert.deepEqual(violations(await schemaOf('exception-check'), document), []);
    return { code, found: document.policies[0].code };
  };
  const requested = await show('request.json');
  assert.equal(requested.code, 0);
  assert.equal(requested.document.exception.approver, null);
  assert.deepEqual(await check('request.json'), { code: 1, found: 'exception.approval-missing' });
  await ok(...at.approve('--yes'));
  const approved = await show('approved.json');
  assert.equal(approved.document.exception.id, requested.document.exception.id);
  assert.equal(approved.document.exception.approver.identity, 'sec@acme.example');
  assert.deepEqual(await check('approved.json'), { code: 0, found: null });
  assert.match(await ok('exception', 'show', path('approved.json')), /sec@acme\.example/);
  const envelope = JSON.parse(await readFile(path('approved.json'), 'utf8'));
  envelope.signatures[0].sig = Buffer.from('no signature').toString('base64');
  await writeFile(path('forged.json'), JSON.stringify(envelope));
  const forged = await show('forged.json');
  assert.equal(forged.code, 1);
  assert.notEqual(forged.document.signatureProblem, null);
  assert.deepEqual(await check('forged.json'), { code: 1, found: 'exception.signature' });
});

test('semantics 17: what was requested for one clause lifts no other that stands in its place', async () => {
  await using at = await ground();
  const { path, run, ok, image } = at;
  const told = JSON.parse(await ok(...at.request('-o', 'json')));
  assert.deepEqual(violations(await schemaOf('exception'), told), []);
  await ok(...at.approve('--yes'));
  const explain = async () => {
    const args = ['policy', 'explain', '--policy', path('policy.yaml'), `${image}:v1`];
    const { out } = await run(...args, '-o', 'json');
    const text = (await run(...args)).out;
    return { text, clause: JSON.parse(out).notSatisfied[0] };
  };
  const { clause, text } = await explain();
  assert.deepEqual([{ path: clause.path, digest: clause.digest }], told.exception.lifts[0].clauses);
  assert.ok(text.includes(clause.digest.slice(0, 19)), text);
  const gate = () =>
    run(
      ...['gate', '--policy', path('policy.yaml'), `${image}:v1`],
      ...['--exception', path('approved.json')],
    );
  const check = () =>
    run('exception', 'check', '--policy', path('policy.yaml'), path('approved.json'));
  assert.equal((await gate()).code, 0);
  // Comments and layout are no change; an owner who asks for more at that place is one.
  await writeFile(path('policy.yaml'), `# reviewed\n${POLICY.replace('[release]', '[ release ]')}`);
  assert.equal((await gate()).code, 0);
  for (const edited of [
    POLICY.replace('signed: { of: [release] }', 'signed: { of: [release, dev], atLeast: 2 }'),
    POLICY.replace(
      '{ signed: { of: [dev] } }, { signed: { of: [release] } }',
      '{ signed: { of: [release] } }, { signed: { of: [dev] } }',
    ),
  ]) {
    await writeFile(path('policy.yaml'), edited);
    const refused = await gate();
    assert.equal(refused.code, 1, refused.out);
    assert.match((await check()).out, /exception\.clause-changed/);
  }
});

test('what is no exception is wrong use', async (t) => {
  await using at = await ground();
  const { path, run, image, digest } = at;
  await at.ok(...at.request());
  const CASES: readonly {
    readonly name: string;
    readonly args: readonly string[];
    readonly code: string;
    readonly exit?: number;
  }[] = [
    { name: 'a tag', args: at.request().with(2, `${image}:v1`), code: 'usage.invalid' },
    { name: 'a repository unasked', args: at.request().with(2, image), code: 'usage.invalid' },
    {
      name: 'a digest and its repository',
      args: at.request('--whole-repository'),
      code: 'usage.invalid',
    },
    {
      name: 'a policy of no name',
      args: at.request('--for-policy', 'Not A Name'),
      code: 'usage.invalid',
    },
    {
      name: 'a clause of no form',
      args: at.request('--clause', 'everything'),
      code: 'exception.clause-unknown',
    },
    {
      name: 'a clause that the policy does not have',
      args: at.request('--clause', 'require.all[2]'),
      code: 'exception.clause-unknown',
    },
    {
      name: 'a request by no policies',
      args: at.request().filter((arg) => arg !== '--policy' && arg !== path('policy.yaml')),
      code: 'usage.invalid',
    },
    {
      name: 'an end in the past',
      args: at.request('--until', '2020-01-01'),
      code: 'exception.malformed',
    },
    {
      name: 'an approval by the same identity',
      args: at.approve('--yes', '--identity', 'DEV@acme.example'),
      code: 'exception.self-approved',
    },
    {
      name: 'an approval by the same key',
      args: at.approve('--yes', '--key', path('requester.key')),
      code: 'exception.self-approved',
    },
    {
      name: 'a policy as an exception',
      args: ['exception', 'show', path('policy.yaml')],
      code: 'exception.malformed',
      exit: 2,
    },
    {
      name: 'a policy as an exception of the gate, which refuses no image by it',
      args: [
        ...['gate', '--policy', path('policy.yaml')],
        ...['--exception', path('policy.yaml'), `${image}:v1`],
      ],
      code: 'exception.malformed',
      exit: 2,
    },
  ];
  for (const { name, args, code, exit } of CASES) {
    await t.test(name, async () => {
      const { err, code: found } = await run(...args);
      assert.ok(err.includes(`[${code}]`), err);
      if (exit === undefined) assert.notEqual(found, 0);
      else assert.equal(found, exit);
    });
  }
  assert.ok(digest.startsWith('sha256:'));
});
