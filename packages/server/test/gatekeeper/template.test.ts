// The ConstraintTemplate of deploy/gatekeeper, evaluated by opa over what the provider really answers.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { GATEKEEPER_CONFIG } from '@bulla/server/gatekeeper/config';
import type { ProviderResponse } from '@bulla/server/gatekeeper/service';
import { createGatekeeper } from '@bulla/server/gatekeeper/service';
import { TrustFault } from '@bulla/trust/fault/fault';
import { peer, requirePeer } from '../../../../test/peers.ts';
import { askOf, DIGEST } from './kit.ts';

const run = promisify(execFile);
const TEMPLATE = new URL('../../../../deploy/gatekeeper/template.yaml', import.meta.url);
const GOOD = `registry.example/good@${DIGEST}`;
const BAD = `registry.example/bad@${DIGEST}`;
const BROKEN = `registry.example/broken@${DIGEST}`;
const TAGGED = 'registry.example/good:v1';

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bulla-rego-'));
  const opa = peer('opa');
  if (opa === null) return;
  const yaml = await readFile(TEMPLATE, 'utf8');
  const [, rego = ''] = yaml.split('      rego: |\n');
  const text = rego.replace(/^ {8}/gm, '');
  await writeFile(join(folder, 'template.rego'), text);
  // As Gatekeeper's driver hands a response on (frameworks, externaldata/response.go).
  await writeFile(
    join(folder, 'driver.rego'),
    [
      'package driver',
      'answered(_) = data.response',
      'violations = found { found := data.bullaimages.violation with external_data as answered }',
      'keys = found { found := data.bullaimages.response with external_data as asked }',
      'asked(request) = request',
    ].join('\n'),
  );
  const { stdout } = await run(opa, ['capabilities', '--current']);
  const capabilities = JSON.parse(stdout) as { builtins: object[] };
  const any = { type: 'any' };
  const decl = { type: 'function', args: [any], result: any };
  capabilities.builtins.push({ name: 'external_data', decl });
  await writeFile(join(folder, 'capabilities.json'), JSON.stringify(capabilities));
});

after(() => rm(folder, { recursive: true, force: true }));

async function evaluate(
  opa: string,
  query: string,
  review: object,
  response: object,
): Promise<unknown> {
  await writeFile(join(folder, 'input.json'), JSON.stringify({ review, parameters: {} }));
  await writeFile(join(folder, 'data.json'), JSON.stringify({ response }));
  const { stdout } = await run(opa, [
    ...['eval', '--v0-compatible', '--format', 'json', '--fail'],
    ...['--capabilities', join(folder, 'capabilities.json')],
    ...['--input', join(folder, 'input.json')],
    ...['--data', join(folder, 'data.json'), '--data', join(folder, 'template.rego')],
    ...['--data', join(folder, 'driver.rego'), query],
  ]);
  const found = JSON.parse(stdout) as { result: [{ expressions: [{ value: unknown }] }] };
  return found.result[0].expressions[0].value;
}

const gatekeeper = createGatekeeper({
  config: GATEKEEPER_CONFIG,
  ask: askOf(({ reference }) => {
    if (reference === BROKEN) throw new TrustFault('record.unavailable', 'no space');
    return reference === BAD ? { outcome: 'deny' } : {};
  }),
  throughGateway: () => false,
  failed: () => undefined,
});

/** NewRegoResponse of Gatekeeper's frameworks. */
function regoResponse({ response }: ProviderResponse) {
  const { items } = response;
  const responses = items.filter(({ error }) => error === '').map(({ key, value }) => [key, value]);
  const errors = items.filter(({ error }) => error !== '').map(({ key, error }) => [key, error]);
  return { responses, errors, status_code: 200, system_error: response.systemError };
}

/** What the template finds wrong with an object, by image, over the provider's own answer. */
async function violations(opa: string, review: object): Promise<Record<string, string>> {
  const asked = (await evaluate(opa, 'data.driver.keys', review, {})) as {
    readonly keys: readonly string[];
  };
  const facts = { id: 'r', remoteAddress: '', userAgent: '' };
  const apiVersion = 'externaldata.gatekeeper.sh/v1beta1';
  const answer = await gatekeeper.verify({ apiVersion, keys: asked.keys }, facts);
  return found(await evaluate(opa, 'data.driver.violations', review, regoResponse(answer)));
}

function found(value: unknown): Record<string, string> {
  const list = value as readonly { msg: string; details: { image: string } }[];
  return Object.fromEntries(list.map(({ msg, details }) => [details.image, msg]));
}

function pod(images: readonly string[], change: object = {}) {
  const containers = images.map((image, at) => ({ name: `c${at}`, image }));
  return { kind: 'Pod', metadata: { namespace: 'prod' }, spec: { containers, ...change } };
}

const reviewOf = (object: object, change: object = {}) => ({
  operation: 'CREATE',
  namespace: 'prod',
  object,
  ...change,
});

interface TemplateCase {
  readonly name: string;
  readonly review: object;
  readonly refused: readonly string[];
}

const template = (images: readonly string[]) => ({ template: { spec: pod(images).spec } });

const CASES: readonly TemplateCase[] = [
  { name: 'a Pod of admitted images', review: reviewOf(pod([GOOD])), refused: [] },
  { name: 'a Pod with one that is not', review: reviewOf(pod([GOOD, BAD])), refused: [BAD] },
  { name: 'a tag that was not pinned', review: reviewOf(pod([TAGGED])), refused: [TAGGED] },
  {
    name: 'an image that could not be decided about',
    review: reviewOf(pod([BROKEN])),
    refused: [BROKEN],
  },
  {
    name: 'an init container',
    review: reviewOf(pod([GOOD], { initContainers: [{ name: 'i', image: BAD }] })),
    refused: [BAD],
  },
  {
    name: 'an ephemeral container',
    review: reviewOf(pod([GOOD], { ephemeralContainers: [{ name: 'e', image: BAD }] })),
    refused: [BAD],
  },
  {
    name: 'an image volume, beside one of another kind',
    review: reviewOf(
      pod([GOOD], {
        volumes: [
          { name: 'a', emptyDir: {} },
          { name: 'b', image: { reference: BAD } },
        ],
      }),
    ),
    refused: [BAD],
  },
  {
    name: 'a Deployment',
    review: reviewOf({ kind: 'Deployment', spec: template([BAD]) }),
    refused: [BAD],
  },
  {
    name: 'a CronJob',
    review: reviewOf({ kind: 'CronJob', spec: { jobTemplate: { spec: template([BAD]) } } }),
    refused: [BAD],
  },
  {
    name: 'a PodTemplate',
    review: reviewOf({ kind: 'PodTemplate', ...template([BAD]) }),
    refused: [BAD],
  },
  { name: 'an image without a name', review: reviewOf(pod([''])), refused: [''] },
  {
    name: 'an object of the audit, which has no operation',
    review: { object: pod([BAD]) },
    refused: [BAD],
  },
  // Semantics 16.
  {
    name: 'a deletion, whose object Gatekeeper copies from the old one',
    review: reviewOf(pod([BAD]), { operation: 'DELETE', oldObject: pod([BAD]) }),
    refused: [],
  },
  {
    name: 'an update that brings no new image',
    review: reviewOf(pod([BAD]), { operation: 'UPDATE', oldObject: pod([BAD, GOOD]) }),
    refused: [],
  },
  {
    name: 'an update that brings a new one, and keeps another',
    review: reviewOf(pod([BAD, TAGGED]), { operation: 'UPDATE', oldObject: pod([BAD]) }),
    refused: [BAD, TAGGED],
  },
  {
    name: 'a creation that brings an old object along',
    review: reviewOf(pod([BAD]), { oldObject: pod([BAD]) }),
    refused: [BAD],
  },
];

for (const { name, review, refused } of CASES) {
  test(`the template refuses ${refused.length} images of: ${name}`, async (t) => {
    const opa = requirePeer(t, 'opa');
    if (opa === null) return;
    assert.deepEqual(Object.keys(await violations(opa, review)).sort(), [...refused].sort());
  });
}

const RESPONSES: readonly {
  readonly name: string;
  readonly response: object;
  readonly says: RegExp;
}[] = [
  { name: 'nothing', response: {}, says: /no answer/ },
  {
    name: 'a system error',
    response: { responses: [], errors: [], system_error: 'gatekeeper.request-invalid' },
    says: /request-invalid/,
  },
  {
    name: 'a system error beside an answer',
    response: {
      responses: [[`[prod]${GOOD}`, { succeeded: true, message: '' }]],
      errors: [],
      system_error: 'broken',
    },
    says: /broken/,
  },
  {
    name: 'an answer to another key',
    response: { responses: [[GOOD, { succeeded: true }]], errors: [], system_error: '' },
    says: /no answer/,
  },
  {
    name: 'null',
    response: { responses: [[`[prod]${GOOD}`, null]], errors: [], system_error: '' },
    says: /no answer/,
  },
  {
    name: 'an answer without the member',
    response: { responses: [[`[prod]${GOOD}`, {}]], errors: [], system_error: '' },
    says: /no answer/,
  },
  {
    name: 'the text true',
    response: {
      responses: [[`[prod]${GOOD}`, { succeeded: 'true' }]],
      errors: [],
      system_error: '',
    },
    says: /no answer/,
  },
];

for (const { name, response, says } of RESPONSES) {
  test(`a provider that answers ${name} refuses`, async (t) => {
    const opa = requirePeer(t, 'opa');
    if (opa === null) return;
    const refused = found(
      await evaluate(opa, 'data.driver.violations', reviewOf(pod([GOOD])), response),
    );
    assert.deepEqual(Object.keys(refused), [GOOD]);
    assert.match(refused[GOOD] ?? '', says);
  });
}

test('what comes from the cache of Gatekeeper has no status, and counts', async (t) => {
  const opa = requirePeer(t, 'opa');
  if (opa === null) return;
  const responses = [[`[prod]${GOOD}`, { succeeded: true, message: '' }]];
  const response = { responses, errors: [], status_code: 0, system_error: '' };
  const review = reviewOf(pod([GOOD]));
  assert.deepEqual(await evaluate(opa, 'data.driver.violations', review, response), []);
});
