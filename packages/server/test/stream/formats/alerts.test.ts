import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ALERT_VARIABLES, alertOf } from '../../../src/stream/formats/alert.ts';
import { made, refused } from '../../record/room.ts';
import { temporaryFolder } from '../../storage/rooms.ts';
import { actEvent, DENIED, decisionEvent, EVERY, formatFor, HOSTILE } from './events.ts';

// biome-ignore lint/suspicious/noExplicitAny: foreign shapes are asserted on
type Json = any;

async function written(format: 'slack' | 'msteams' | 'opsgenie', event = DENIED): Promise<Json> {
  return JSON.parse((await formatFor(format)).render([event]));
}

/** Every text within a document. */
function textsOf(value: Json): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

test('a Slack message has text and blocks within their limits', async () => {
  const message = await written('slack');
  assert.match(
    message.text,
    /^Bulla: registry\.example\/prod\/app:v1@sha256:.* was refused: no signature was found$/,
  );
  const [header, section, fields] = message.blocks;
  assert.deepEqual(header, {
    type: 'header',
    text: { type: 'plain_text', text: 'Image refused', emoji: false },
  });
  assert.equal(section.text.text, message.text);
  assert.ok(fields.fields.length <= 10);
  const shown = textsOf(fields);
  for (const text of ['Cluster: eu-1', 'Namespace: shop', 'Code: signature.none']) {
    assert.ok(shown.includes(text), text);
  }
  assert.deepEqual([message.unfurl_links, message.unfurl_media], [false, false]);
});

test('a Teams message is the card of a workflow, without a text that knows Markdown', async () => {
  const message = await written('msteams');
  assert.equal(message.type, 'message');
  const [{ contentType, content }] = message.attachments;
  assert.equal(contentType, 'application/vnd.microsoft.card.adaptive');
  assert.deepEqual([content.type, content.version], ['AdaptiveCard', '1.4']);
  for (const { type, inlines } of content.body) {
    assert.equal(type, 'RichTextBlock');
    assert.ok(inlines.every((inline: Json) => inline.type === 'TextRun'));
  }
});

test('a message is within what Teams, Slack and Opsgenie take, whatever its values are', async () => {
  const long = `"${'\\"'.repeat(5000)}`;
  const finding = { check: 'x', outcome: 'fail', says: long, code: 'signature.none' } as const;
  const asker = { kind: 'user', id: long, name: long } as const;
  const request = { id: long, remoteAddress: long, userAgent: long };
  const fields = { reference: long, repository: long, tag: long, namespace: long, finding };
  for (const event of [
    decisionEvent(refused(fields, { actor: asker, request })),
    actEvent(`exception.${long}`, long),
  ]) {
    // 28 KB of UTF-16.
    assert.ok(JSON.stringify(await written('msteams', event)).length <= 14_000);
    const { blocks } = await written('slack', event);
    assert.ok(blocks[0].text.text.length <= 150 && blocks[1].text.text.length <= 3000);
    assert.ok(textsOf(blocks[2].fields).every((text) => text.length <= 2000));
    const { details, message, description } = await written('opsgenie', event);
    assert.ok(message.length <= 130 && description.length <= 15_000);
    const pairs = Object.entries<string>(details);
    assert.ok(pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0) <= 8000);
  }
  // What is short is not cut.
  const short = textsOf((await written('msteams')).attachments[0].content.body);
  assert.ok(short.some((text) => /@sha256:[0-9a-f]{64}$/.test(text)));
});

test('an Opsgenie alert keeps the limits of its API, and the same image has the same alias', async () => {
  const alert = await written('opsgenie');
  assert.deepEqual([alert.priority, alert.source], ['P2', 'bulla.example/record']);
  assert.ok(alert.message.length <= 130 && alert.alias.length <= 512);
  assert.ok(alert.tags.length <= 20 && alert.tags.every((tag: string) => tag.length <= 50));
  assert.equal(alert.details.Code, 'signature.none');
  const one = await written('opsgenie', decisionEvent(refused(), 1));
  const again = await written('opsgenie', decisionEvent(refused(), 2));
  const other = await written('opsgenie', decisionEvent(refused({ tag: 'v2' }), 3));
  assert.equal(one.alias, again.alias);
  assert.notEqual(one.alias, other.alias);
  const loud = await written('opsgenie', actEvent('break-glass.used'));
  assert.equal(loud.priority, 'P1');
});

/** What must stand in no text that a receiver shows. */
const MARKUP: readonly RegExp[] = [
  /[<>&]/,
  /\]\(/,
  /\]\[/,
  /:\/\//,
  /@(?:here|channel|everyone|all)\b/i,
  /javascript:/i,
  /\{\{/,
  /`/,
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u,
];

test('names that attackers choose are no markup, no mention and no link in any alert', async (t) => {
  await using folder = await temporaryFolder();
  const template = join(folder.path, 'alert.json');
  await writeFile(template, JSON.stringify({ text: '{{ images }} {{ actor }} {{reason}}', n: 1 }));
  const formats = [
    ['slack', await formatFor('slack')],
    ['msteams', await formatFor('msteams')],
    ['opsgenie', await formatFor('opsgenie')],
    ['template', await formatFor('template', { template })],
  ] as const;
  for (const name of HOSTILE) {
    const finding = { check: 'x', outcome: 'fail', says: name, code: 'signature.none' } as const;
    const request = { id: name, remoteAddress: name, userAgent: name };
    const asker = { kind: 'user', id: name, name } as const;
    const fields = { reference: name, repository: name, tag: name, namespace: name, finding };
    const events = [
      decisionEvent(refused(fields, { actor: asker, request })),
      actEvent(`exception.${name}`, name),
    ];
    for (const [format, { render }] of formats) {
      await t.test(`${format}: ${JSON.stringify(name.slice(0, 40))}`, () => {
        for (const event of events) {
          const document = JSON.parse(render([event]));
          const shown = textsOf({
            ...document,
            attachments: document.attachments?.[0].content.body,
          });
          assert.ok(shown.length > 0);
          for (const text of shown) {
            assert.ok(text.isWellFormed());
            for (const markup of MARKUP) assert.doesNotMatch(text, markup);
          }
          // What it says of itself is not the attacker's to change.
          const members = Object.keys(JSON.parse(render([DENIED])));
          assert.deepEqual(Object.keys(document), members);
        }
      });
    }
  }
});

test('a template of Connaisseur is filled; every variable that is documented is there', async () => {
  await using folder = await temporaryFolder();
  const template = join(folder.path, 'alert.json');
  const document = {
    message: '{{ alert_message }}',
    priority: 'P{{ priority }}',
    nested: [{ text: '{{cluster}}/{{ namespace }} {{ request_id }}' }, 3, true, null],
    raw: '{{ reference | raw }}',
    all: ALERT_VARIABLES.map((name) => `{{ ${name} }}`).join(' '),
    'key {{ priority }}': 'keys stay',
  };
  await writeFile(template, JSON.stringify(document));
  const { render, contentType } = await formatFor('template', { template });
  const filled = JSON.parse(render([DENIED]));
  assert.equal(contentType, 'application/json');
  assert.deepEqual(filled.nested, [{ text: 'eu-1/shop req-9' }, 3, true, null]);
  assert.deepEqual([filled.priority, filled.raw], ['P2', 'registry.example/prod/app:v1']);
  assert.ok(!filled.all.includes('{{'));
  assert.equal(filled['key {{ priority }}'], 'keys stay');
  // What stands in a value is never a hole of its own.
  const hostile = decisionEvent(refused({ reference: '{{ cluster }}' }));
  assert.equal(JSON.parse(render([hostile])).raw, '{{ cluster }}');
});

const WRONG: readonly (readonly [string, string | null])[] = [
  ['a file that is not there', null],
  ['no JSON', '{{ images }}'],
  ['no object', '["{{ images }}"]'],
  ['a variable that there is not', '{"a":"{{ secret }}"}'],
  ['a filter that there is not', '{"a":"{{ images | shell }}"}'],
  ['an expression', '{"a":"{{ images.__class__ }}"}'],
  ['a statement', '{"a":"{% if images %}x{% endif %}"}'],
  ['a hole that is not closed', '{"a":"{{ images"}'],
  ['a member twice', '{"a":"1","a":"2"}'],
];

test('templates that cannot be filled are refused when they are loaded', async (t) => {
  await using folder = await temporaryFolder();
  for (const [name, text] of WRONG) {
    await t.test(name, async () => {
      const template = join(folder.path, `${name}.json`);
      if (text !== null) await writeFile(template, text);
      await assert.rejects(formatFor('template', { template }), {
        code: 'stream.template-invalid',
      });
    });
  }
});

test('the gravity of an event is told by what it is about, unless the configuration tells it', () => {
  const options = { origin: 'o', version: '1', stream: 's', priority: null };
  const pass = decisionEvent(made());
  assert.deepEqual(
    [...EVERY, pass].map((event) => alertOf(event, options).priority),
    [5, 2, 2, 1, 5, 5, 1, 5],
  );
  assert.equal(alertOf(pass, { ...options, priority: 1 }).priority, 1);
});
