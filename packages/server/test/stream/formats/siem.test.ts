import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refused } from '../../record/room.ts';
import { actEvent, DENIED, decisionEvent, EVERY, formatFor, HOSTILE } from './events.ts';

// biome-ignore lint/suspicious/noExplicitAny: foreign shapes are asserted on
type Json = any;

/** A reader of CEF:0 of its own, from the words of the specification. */
function readCef(line: string): {
  readonly header: readonly string[];
  readonly extension: Map<string, string>;
} {
  const header: string[] = [];
  let field = '';
  let at = 0;
  for (; header.length < 7; at++) {
    const character = line.charAt(at);
    assert.notEqual(character, '', 'the header ends too early');
    if (character === '\\') {
      at += 1;
      assert.match(line.charAt(at), /[\\|]/);
      field += line.charAt(at);
    } else if (character === '|') {
      header.push(field);
      field = '';
    } else field += character;
  }
  const extension = new Map<string, string>();
  // A key is a word before an equals sign that no backslash stands before.
  const keys = [...line.slice(at).matchAll(/(?:^| )([A-Za-z0-9]+)=/g)];
  for (const [index, match] of keys.entries()) {
    const from = at + (match.index ?? 0) + match[0].length;
    const next = keys[index + 1];
    const value = line.slice(from, next === undefined ? undefined : at + next.index);
    assert.doesNotMatch(value, /(?<!\\)(?:\\\\)*=/, 'an equals sign that is not escaped');
    assert.ok(!extension.has(match[1] ?? ''), `${match[1]} stands twice`);
    extension.set(
      match[1] ?? '',
      value.replace(/\\(.)/g, (_, escaped: string) => ({ n: '\n', r: '\r' })[escaped] ?? escaped),
    );
  }
  return { header, extension };
}

test('CEF has seven fields, and values that are read back as they were', async () => {
  const { render, contentType } = await formatFor('cef', { batch: 10 });
  assert.equal(contentType, 'text/plain; charset=utf-8');
  const lines = render(EVERY).split('\n');
  assert.equal(lines.pop(), '');
  assert.equal(lines.length, EVERY.length);
  const read = lines.map(readCef);
  assert.deepEqual(read[1]?.header, [
    'CEF:0',
    'Bulla',
    'Bulla',
    '1.2.3',
    'decision.deny',
    'Image refused',
    '8',
  ]);
  const denied = Object.fromEntries(read[1]?.extension ?? []);
  assert.deepEqual(
    [
      denied['act'],
      denied['outcome'],
      denied['reason'],
      denied['src'],
      denied['cs4'],
      denied['cs4Label'],
    ],
    ['deny', 'failure', 'signature.none', '10.0.0.9', 'shop', 'namespace'],
  );
  assert.equal(denied['rt'], String(Date.parse('2026-05-01T12:00:00.000Z')));
  assert.deepEqual(
    read.map(({ header }) => header[6]),
    ['1', '8', '8', '10', '1', '1', '10'],
  );
});

test('no name makes a CEF line, field or key of its own', async (t) => {
  const { render } = await formatFor('cef');
  for (const name of HOSTILE) {
    await t.test(JSON.stringify(name.slice(0, 40)), () => {
      const asker = { kind: 'user', id: name, name } as const;
      const plain = readCef(render([actEvent('exception.x', 'plain')]).trimEnd());
      const text = render([actEvent(`exception.${name}`, name)]);
      assert.equal(text.split('\n').length, 2);
      const act = readCef(text.slice(0, -1));
      assert.deepEqual([...act.extension.keys()], [...plain.extension.keys()]);
      const body = decisionEvent(refused({ repository: name, namespace: name }, { actor: asker }));
      const { extension } = readCef(render([body]).slice(0, -1));
      assert.equal(extension.get('act'), 'deny');
      const suser = name.toWellFormed().slice(0, 512);
      const shown = suser.replace(/(?![\n\r])[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');
      assert.equal(extension.get('suser'), shown);
    });
  }
});

/** CloudEvents 1.0 §3: what every attribute must be. */
function checkCloudEvent(event: Json): void {
  assert.equal(event.specversion, '1.0');
  for (const name of ['id', 'source', 'type']) assert.ok(event[name].length > 0);
  for (const [name, value] of Object.entries(event)) {
    assert.match(name, /^[a-z0-9]{1,20}$/);
    if (name === 'data') continue;
    assert.ok(typeof value === 'string' && value !== '', name);
    assert.doesNotMatch(value, /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u);
  }
  assert.ok(URL.canParse(event.source, 'https://any.example/'));
  assert.match(event.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  assert.equal(event.datacontenttype, 'application/json');
}

test('CloudEvents are structured, alone or in a batch, and keep the rules of attributes', async () => {
  const alone = await formatFor('cloudevents');
  assert.equal(alone.contentType, 'application/cloudevents+json; charset=utf-8');
  const event = JSON.parse(alone.render([DENIED]));
  checkCloudEvent(event);
  assert.deepEqual(
    [event.source, event.type],
    ['//bulla.example/record', 'dev.bulla.record.decision.v1'],
  );
  assert.match(event.id, /^7-[0-9a-f]{64}$/);
  assert.equal(event.data.entry.code, 'signature.none');
  const batch = await formatFor('cloudevents', { batch: 10 });
  assert.equal(batch.contentType, 'application/cloudevents-batch+json; charset=utf-8');
  const events: readonly Json[] = JSON.parse(batch.render(EVERY));
  assert.equal(events.length, EVERY.length);
  assert.equal(JSON.parse(batch.render([DENIED])).length, 1);
  for (const one of events) checkCloudEvent(one);
  assert.equal(new Set(events.map(({ id }) => id)).size, EVERY.length);
  for (const name of HOSTILE) checkCloudEvent(JSON.parse(alone.render([actEvent('x', name)])));
});

// ECS 8.17, "Categorization fields": allowed values, and the types of each category that is used.
const KINDS = [
  'alert',
  'asset',
  'enrichment',
  'event',
  'metric',
  'state',
  'pipeline_error',
  'signal',
];
const OUTCOMES = ['failure', 'success', 'unknown'];
const TYPES: Readonly<Record<string, readonly string[]>> = {
  api: [
    'access',
    'admin',
    'allowed',
    'change',
    'creation',
    'deletion',
    'denied',
    'end',
    'info',
    'start',
    'user',
  ],
  configuration: ['access', 'change', 'creation', 'deletion', 'info'],
  database: ['access', 'change', 'info', 'error'],
};
// Top-level fieldsets of ECS that are used, and the one of Bulla's own.
const FIELDS = [
  '@timestamp',
  'ecs',
  'message',
  'tags',
  'observer',
  'event',
  'user',
  'source',
  'user_agent',
  'http',
  'container',
  'rule',
  'error',
  'orchestrator',
  'bulla',
];

test('ECS documents use its fields and its allowed values', async () => {
  const { render, contentType } = await formatFor('ecs', { batch: 10 });
  assert.equal(contentType, 'application/x-ndjson');
  const documents: readonly Json[] = render(EVERY)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const document of documents) {
    const { kind, category, type, outcome } = document.event;
    assert.equal(document.ecs.version, '8.17.0');
    assert.ok(KINDS.includes(kind) && OUTCOMES.includes(outcome));
    for (const one of category)
      for (const of of type) assert.ok(TYPES[one]?.includes(of), `${one} ${of}`);
    for (const field of Object.keys(document)) assert.ok(FIELDS.includes(field), field);
  }
  const [passed, denied] = documents;
  assert.deepEqual([passed.event.type, passed.event.kind], [['access', 'allowed'], 'event']);
  assert.deepEqual(denied.event, {
    ...denied.event,
    kind: 'alert',
    type: ['access', 'denied'],
    action: 'image-deny',
    outcome: 'failure',
    reason: 'no signature was found',
    code: 'signature.none',
    sequence: 7,
    duration: 15_000_000,
  });
  assert.deepEqual(denied.orchestrator, {
    type: 'kubernetes',
    namespace: 'shop',
    api_version: 'apps/v1',
    cluster: { name: 'eu-1' },
    resource: { type: 'deployment', name: 'web' },
  });
  assert.deepEqual(denied.source, { address: '10.0.0.9', ip: '10.0.0.9' });
});

test('an address that is none is no source.ip, which an index would refuse', async () => {
  const { render } = await formatFor('ecs');
  for (const name of HOSTILE) {
    const request = { id: 'r', remoteAddress: name, userAgent: name };
    const { source } = JSON.parse(render([decisionEvent(refused({}, { request }))]));
    assert.equal(source.ip, undefined);
  }
});
