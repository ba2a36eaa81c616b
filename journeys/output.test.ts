// What programs read: exit codes, JSON by its published schema, SARIF, plain text.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Registry, startRegistry } from '@bulla/server/registry';
import { CODES } from '@bulla/trust/fault/codes';
import { pushMultiArch, pushSmallImage } from './artifact.ts';
import { violations } from './json-schema.ts';
import { makeKey, openStage, ROOT, type Stage } from './stage.ts';

let registry: Registry;
let stage: Stage;
let pub: string;
let images: Readonly<Record<'signed' | 'unsigned' | 'absent' | 'down' | 'malformed', string>>;

before(async () => {
  registry = await startRegistry({ storage: 'memory' });
  stage = await openStage();
  const pair = await makeKey(stage, 'release');
  pub = pair.pub;
  const repository = `${registry.host}/team/app`;
  images = {
    signed: `${repository}:signed`,
    unsigned: `${repository}:unsigned`,
    absent: `${repository}:absent`,
    // Nothing listens on port 1.
    down: '127.0.0.1:1/team/app:v1',
    malformed: `${registry.host}/Team/App`,
  };
  await pushSmallImage(repository, 'signed');
  await pushSmallImage(repository, 'unsigned');
  await stage.succeeds(['sign', '--key', pair.key, '--format', 'both', images.signed]);
  const multi = `${registry.host}/team/multi`;
  await pushMultiArch(multi, 'v1');
  await stage.succeeds(['sign', '--key', pair.key, '--recursive', `${multi}:v1`]);
});

after(async () => {
  await registry.close();
  await stage[Symbol.asyncDispose]();
});

const EXIT_CODES: readonly {
  readonly of: readonly (keyof typeof images)[];
  readonly expect: number;
}[] = [
  { of: ['signed'], expect: 0 },
  { of: ['unsigned'], expect: 1 },
  { of: ['absent'], expect: 1 },
  { of: ['malformed'], expect: 2 },
  { of: ['down'], expect: 3 },
  { of: ['signed', 'signed'], expect: 0 },
  { of: ['signed', 'down'], expect: 3 },
  { of: ['down', 'unsigned', 'signed'], expect: 1 },
  { of: ['down', 'unsigned', 'malformed', 'signed'], expect: 2 },
];

for (const { of, expect } of EXIT_CODES) {
  test(`verify ${of.join(' ')}: exit ${expect}`, async () => {
    const asked = of.map((name) => images[name]);
    const { code, out, all } = await stage.bulla(['verify', '--key', pub, ...asked]);
    assert.equal(code, expect, all);
    // A verdict line for each reference that could be read, in the order of the command.
    const titles = [...out.matchAll(/^(VERIFIED|REFUSED|INCONCLUSIVE) /gm)].map(([, word]) => word);
    const wanted = { signed: 'VERIFIED', unsigned: 'REFUSED', absent: 'REFUSED' };
    const known = { ...wanted, down: 'INCONCLUSIVE', malformed: undefined };
    assert.deepEqual(
      titles,
      of.map((name) => known[name]).filter((word) => word !== undefined),
    );
  });
}

test('-o json is what the published schema says', async (t) => {
  const path = join(ROOT, 'docs/schemas/verdict.schema.json');
  const schema = JSON.parse(await readFile(path, 'utf8'));
  const verify = ['verify', '--key', pub, '-o', 'json'];
  const multi = `${registry.host}/team/multi:v1`;
  const questions: readonly (readonly string[])[] = [
    [...verify, images.signed, images.unsigned, images.absent, images.down],
    [...verify, '--at-least', '1', '--no-log', '--no-timestamp', images.signed],
    [...verify, '--attested', 'vuln', '--where', 'predicate.x == 1', images.signed],
    [...verify, '--tree', 'both', multi],
    [...verify, '--tree', 'any', '--platform', 'linux/arm64', multi],
  ];
  for (const question of questions) {
    const { out } = await stage.bulla(question);
    await t.test(question.slice(5).join(' ').replaceAll(registry.host, 'HOST'), () => {
      const document = JSON.parse(out);
      assert.deepEqual(violations(schema, document), []);
      assert.ok(document.verdicts.length > 0);
    });
  }
  await t.test('and the check would see a difference', () => {
    const wrong = { schema: 'https://bulla.dev/schemas/verdict/v1', verdicts: [{ outcome: 'ok' }] };
    assert.notDeepEqual(violations(schema, wrong), []);
    assert.notDeepEqual(violations(schema, { ...wrong, verdicts: [], more: 1 }), []);
  });
  await t.test('one verdict for each image, on the digest that was verified', async () => {
    const asked = [images.signed, images.unsigned];
    const { verdicts } = JSON.parse((await stage.bulla([...verify, ...asked])).out);
    assert.deepEqual(
      verdicts.map(({ reference, outcome }: Record<string, string>) => [reference, outcome]),
      [
        [images.signed, 'pass'],
        [images.unsigned, 'fail'],
      ],
    );
    assert.match(verdicts[0].artifact, new RegExp(`@${verdicts[0].digest}$`));
    assert.equal(verdicts[1].finding.code, 'signature.none');
  });
});

test('-o sarif is a log with a rule for each result', async () => {
  const { out, code } = await stage.bulla([
    ...['verify', '--key', pub, '-o', 'sarif'],
    ...[images.signed, images.unsigned, images.down],
  ]);
  assert.equal(code, 1);
  const { version, runs } = JSON.parse(out);
  assert.equal(version, '2.1.0');
  const [{ tool, results }] = runs;
  const rules = tool.driver.rules.map(({ id }: Record<string, string>) => id);
  assert.equal(results.length, 2);
  for (const { ruleId, level, message, locations } of results) {
    assert.ok(rules.includes(ruleId), `no rule ${ruleId}`);
    assert.ok(Object.hasOwn(CODES, ruleId), ruleId);
    assert.ok(['error', 'warning'].includes(level));
    assert.ok(message.text.length > 0 && locations.length > 0);
  }
});

test('plain text has no control characters, with NO_COLOR or into a pipe', async () => {
  for (const env of [{}, { NO_COLOR: '1' }, { NO_COLOR: '', FORCE_COLOR: '1' }]) {
    const { all } = await stage.bulla(['verify', '--key', pub, images.signed], env);
    assert.match(all, /^VERIFIED/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(all, /[\x00-\x09\x0b-\x1f\x7f]/);
  }
});

test('--offline is accepted, and a layout needs no network at all', async () => {
  const layout = `oci:${stage.path('layout')}:v1`;
  await stage.succeeds(['copy', images.signed, layout]);
  await stage.succeeds(['verify', '--key', pub, '--offline', layout, images.signed]);
});
