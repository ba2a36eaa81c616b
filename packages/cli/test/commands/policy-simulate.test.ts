import assert from 'node:assert/strict';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { pushMultiArch } from '../../../../journeys/artifact.ts';
import { violations } from '../../../../journeys/json-schema.ts';
import { type House, ownerToken, pushAndPull, startUp } from './house.ts';
import { bulla, emptyFolder, vector } from './run.ts';

/** A policy about everything, by its mode and what it requires. */
function policyText(mode: string, require: string): string {
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: prod }
spec:
  images: [{ glob: "**" }]
  mode: ${mode}
  authorities: { dev: { key: { ref: p256.pub } }, qa: { key: { ref: second.pub } } }
  require: ${require}
`;
}

const POLICIES = {
  audit: policyText('audit', '{ any: [{ signed: { of: [dev] } }, { signed: { of: [qa] } }] }'),
  either: policyText('enforce', '{ signed: { of: [dev, qa] } }'),
  both: policyText('enforce', '{ signed: { of: [dev, qa], atLeast: 2 } }'),
  scanned: policyText(
    'enforce',
    '{ all: [{ signed: { of: [dev, qa] } }, { attested: { type: vuln, by: [dev, qa] } }] }',
  ),
  warn: policyText('warn', '{ signed: { of: [dev, qa], atLeast: 2 } }'),
} as const;

/** A folder with every policy, and the keys that they name. */
async function ground() {
  const folder = await emptyFolder();
  const path = (name: string) => join(folder.path, name);
  for (const key of ['p256', 'second']) await cp(vector(`keys/${key}.pub`), path(`${key}.pub`));
  for (const [name, text] of Object.entries(POLICIES)) await writeFile(path(`${name}.yaml`), text);
  const simulate = async (args: readonly string[], env = {}) => {
    const paths = args.map((arg) => (arg.endsWith('.yaml') ? path(arg) : arg));
    return bulla(['policy', 'simulate', ...paths], env);
  };
  return { path, simulate, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const SCHEMA = new URL('../../../../docs/schemas/policy-simulation.schema.json', import.meta.url);

/** The document of a simulation, which must be what the schema says. */
async function documentOf(out: string) {
  const document = JSON.parse(out);
  assert.deepEqual(violations(JSON.parse(await readFile(SCHEMA, 'utf8')), document), []);
  return document;
}

const LAYOUT = vector('oci/cosign-key-legacy');

test('images of a list are decided about by the old and the new policies', async (t) => {
  await using at = await ground();
  await using registry = await startRegistry({ storage: 'memory' });
  for (const ref of ['p256', 'p384']) {
    const copied = await bulla(['copy', `oci:${LAYOUT}:${ref}`, `${registry.host}/app:${ref}`]);
    assert.equal(copied.code, 0, copied.err);
  }
  const images = at.path('images.txt');
  const [signed, other] = ['p256', 'p384'].map((ref) => `${registry.host}/app:${ref}`);
  await writeFile(images, `# today\n${signed} # by dev\n\n${other}\n${signed}\n`);

  const cases = [
    { args: ['--policy', 'either.yaml'], exit: 1, refused: [other], unchanged: [1, 0] },
    {
      args: ['--policy', 'both.yaml', '--against', 'either.yaml'],
      exit: 1,
      refused: [signed],
      unchanged: [0, 1],
    },
    {
      args: ['--policy', 'either.yaml', '--against', 'both.yaml'],
      exit: 0,
      admitted: [signed],
      unchanged: [0, 1],
    },
    {
      args: ['--policy', 'either.yaml', '--against', 'either.yaml'],
      exit: 0,
      unchanged: [1, 1],
    },
    {
      args: ['--policy', 'warn.yaml', '--against', 'either.yaml'],
      exit: 0,
      admitted: [other],
      warned: [signed],
      unchanged: [0, 0],
    },
  ];
  for (const { args, exit, refused, admitted, warned, unchanged } of cases) {
    await t.test(args.join(' '), async () => {
      const { code, out, err } = await at.simulate([...args, '--images', images, '-o', 'json']);
      assert.equal(code, exit, err);
      const { counts, changes } = await documentOf(out);
      const named = (change: string) =>
        changes
          .filter((one: { change: string }) => one.change === change)
          .map(({ reference }: { reference: string }) => reference);
      assert.deepEqual(named('refused'), refused ?? []);
      assert.deepEqual(named('admitted'), admitted ?? []);
      assert.deepEqual(named('warned'), warned ?? []);
      assert.deepEqual([counts.unchanged.admitted, counts.unchanged.refused], unchanged);
    });
  }

  await t.test('the text names clause and code, and each image below them', async () => {
    const { out } = await at.simulate(['--policy', 'either.yaml', '--images', images]);
    assert.match(
      out,
      /^1 would newly be refused:\n {2}prod {2}require: signed by 1 of dev, qa {2}policy\.threshold-not-met\n {4}127\.0\.0\.1:\d+\/app:p384@sha256:\w+\nunchanged: 1 admitted, 0 refused\n$/,
    );
  });

  await t.test('an outage is nothing that the policies change', async () => {
    await writeFile(images, '127.0.0.1:1/app:v1\n');
    const { code, out } = await at.simulate([
      '--policy',
      'both.yaml',
      '--images',
      images,
      '-o',
      'json',
    ]);
    assert.equal(code, 3);
    const { counts } = await documentOf(out);
    assert.equal(counts.unknown, 1);
  });
});

test('wrong use exits with 2', async () => {
  await using at = await ground();
  const empty = at.path('empty.txt');
  await writeFile(empty, '# nothing\n');
  for (const args of [
    ['--policy', 'both.yaml'],
    ['--policy', 'both.yaml', '--images', empty, '--decisions', '1h..'],
    ['--images', empty],
    ['--policy', 'gone.yaml', '--images', empty],
    ['--policy', 'both.yaml', '--images', at.path('gone.txt')],
    ['--policy', 'both.yaml', '--decisions', '1h..', '--data', at.path('nowhere')],
    ['--policy', 'both.yaml', '--decisions', '1h'],
    ['--policy', 'both.yaml', '--decisions', 'never..'],
  ]) {
    const { code, err } = await at.simulate(args);
    assert.equal(code, 2, `${args.join(' ')}\n${err}`);
  }
  // Nothing is never enough.
  assert.equal((await at.simulate(['--policy', 'both.yaml', '--images', empty])).code, 1);
});

/** Pulls by tag or digest, as whoever has the token. */
async function pull({ ready }: House, reference: string, token: string | null): Promise<void> {
  const credentials = Buffer.from(`token:${token}`).toString('base64');
  const answer = await fetch(`http://${ready.registry}/v2/app/manifests/${reference}`, {
    headers: {
      accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json',
      ...(token === null ? {} : { authorization: `Basic ${credentials}` }),
    },
  });
  assert.equal(answer.status, 200, await answer.text());
  await answer.arrayBuffer().catch(() => undefined);
}

test('past decisions are decided about again from what the record keeps', async (t) => {
  await using at = await ground();
  const data = at.path('data');
  const folder = ['--policy', at.path('audit.yaml')];
  let online = '';
  const simulated = ['--policy', 'both.yaml', '--decisions', '1h..', '-o', 'json'];
  {
    await using house = await startUp(data, folder);
    const { pushToken, addresses } = house.ready;
    const secret = pushToken ?? '';
    const login = ['--registry-username', 'token', '--registry-password', secret];
    const image = `${house.ready.registry}/app:signed`;
    const copied = await bulla(['copy', ...login, `oci:${LAYOUT}:p256`, image]);
    assert.equal(copied.code, 0, copied.err);
    await pull(house, 'signed', null);
    await pull(house, 'signed', null);
    // Another user of a cached decision has a row of the record, and no evidence, of its own.
    await pull(house, 'signed', secret);
    assert.equal(await pushAndPull(house, 'app', 'unsigned'), 200);
    const env = { BULLA_TOKEN: await ownerToken(house) };
    const server = ['--server', addresses[0] ?? ''];

    await t.test('at a server', async () => {
      const { code, out, err } = await at.simulate([...simulated, ...server], env);
      assert.equal(code, 1, err + out);
      online = out;
    });

    await t.test('whoever may read decisions may not have their evidence', async () => {
      const { code, err } = await at.simulate([...simulated, ...server], { BULLA_TOKEN: secret });
      assert.notEqual(code, 0);
      assert.match(err, /access\.denied/);
    });

    await t.test('beside a running server its folder is not touched', async () => {
      const { code, err } = await at.simulate([...simulated, '--data', data]);
      assert.notEqual(code, 0);
      assert.match(err, /storage\.locked/);
    });
  }

  const offline = ['--decisions', '1h..', '--data', data, '-o', 'json'];

  await t.test('offline the same comes out', async () => {
    const { code, out, err } = await at.simulate([...simulated, '--data', data]);
    assert.equal(code, 1, err);
    // Counts of repeated passes are written about once a second.
    assert.equal(out.replace(/"uses": 3/, '"uses": 2'), online.replace(/"uses": 3/, '"uses": 2'));
    const { counts, changes, against } = await documentOf(out);
    assert.deepEqual(against, { kind: 'record' });
    const signed = changes.find(({ reference }: { reference: string }) =>
      /:signed$/.test(reference),
    );
    assert.equal(signed.change, 'refused');
    assert.equal(signed.decisions, 2, 'the use of the cached decision is counted with it');
    assert.equal(signed.uses, 3);
    assert.equal(
      counts.refused,
      changes.reduce((sum: number, { decisions }: { decisions: number }) => sum + decisions, 0),
    );
  });

  await t.test('what satisfies the new policy is unchanged', async () => {
    const { code, out } = await at.simulate(['--policy', 'either.yaml', ...offline]);
    assert.equal(code, 1);
    const { counts, changes } = await documentOf(out);
    assert.equal(counts.unchanged.admitted, 2);
    assert.ok(changes.every(({ reference }: { reference: string }) => !/:signed$/.test(reference)));
  });

  await t.test('by the same policies nothing changes, at the time or now', async () => {
    for (const instant of ['decision', 'now']) {
      const { code, out } = await at.simulate([
        '--policy',
        'audit.yaml',
        '--at',
        instant,
        ...offline,
      ]);
      assert.equal(code, 0, out);
      assert.deepEqual((await documentOf(out)).changes, []);
    }
  });

  await t.test('what was never gathered cannot be told', async () => {
    const { out } = await at.simulate(['--policy', 'scanned.yaml', ...offline]);
    const { changes } = await documentOf(out);
    const signed = changes.find(({ reference }: { reference: string }) =>
      /:signed$/.test(reference),
    );
    assert.deepEqual([signed.change, signed.after], ['unknown', null]);
    assert.deepEqual(
      signed.because.map(({ code }: { code: string }) => code),
      ['dossier.incomplete'],
    );
  });

  await t.test('old policies may stand in for what was recorded', async () => {
    const { code, out } = await at.simulate([
      '--policy',
      'either.yaml',
      '--against',
      'both.yaml',
      ...offline,
    ]);
    assert.equal(code, 0);
    const { counts, against } = await documentOf(out);
    assert.equal(against.kind, 'policies');
    assert.equal(counts.admitted, 2);
  });

  await t.test('a time without decisions has none', async () => {
    const args = ['--policy', 'both.yaml', '--decisions', '2020-01-01..2020-01-02'];
    const { code, out } = await at.simulate([...args, '--data', data]);
    assert.deepEqual([code, out], [0, 'unchanged: 0 admitted, 0 refused\n']);
  });
});

test('a leaf that was admitted with its index still is when the index is', async (t) => {
  await using at = await ground();
  const data = at.path('data');
  const leaves: string[] = [];
  {
    await using elsewhere = await startRegistry({ storage: 'memory' });
    const signedThere = `${elsewhere.host}/app:multi`;
    const { arm64 } = await pushMultiArch(`${elsewhere.host}/app`, 'multi');
    const signed = await bulla(['sign', '--key', vector('keys/second.plain.pem'), signedThere]);
    assert.equal(signed.code, 0, signed.err);
    await using house = await startUp(data, ['--policy', at.path('audit.yaml')]);
    const { registry, pushToken } = house.ready;
    const login = ['--registry-username', 'token', '--registry-password', pushToken ?? ''];
    const copied = await bulla(['copy', ...login, signedThere, `${registry}/app:multi`]);
    assert.equal(copied.code, 0, copied.err);
    await pull(house, 'multi', null);
    await pull(house, arm64, null);
    leaves.push(arm64);
  }
  const offline = ['--decisions', '1h..', '--data', data, '-o', 'json'];
  for (const { policy, exit, index, leaf } of [
    { policy: 'either.yaml', exit: 0, index: undefined, leaf: undefined },
    { policy: 'both.yaml', exit: 1, index: 'refused', leaf: 'unknown' },
  ]) {
    await t.test(policy, async () => {
      const { code, out, err } = await at.simulate(['--policy', policy, ...offline]);
      assert.equal(code, exit, err);
      const { changes } = await documentOf(out);
      const changeOf = (isLeaf: boolean) =>
        changes.find(({ digest }: { digest: string }) => leaves.includes(digest) === isLeaf)
          ?.change;
      assert.deepEqual([changeOf(false), changeOf(true)], [index, leaf]);
    });
  }
  await t.test('evidence that is gone from the store cannot be told about', async () => {
    await rm(join(data, 'objects/objects/evidence'), { recursive: true });
    const { code, out } = await at.simulate(['--policy', 'both.yaml', ...offline]);
    assert.equal(code, 3);
    const { counts } = await documentOf(out);
    assert.deepEqual([counts.refused, counts.unknown], [0, 2]);
  });
});
