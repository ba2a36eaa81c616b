import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Check } from 'typebox/value';
import { apiDoor } from '../../src/http/api/door.ts';
import { createLog } from '../../src/http/log.ts';
import type { Permission } from '../../src/http/principal.ts';
import { listen } from '../../src/http/server.ts';
import { streamRoutes } from '../../src/stream/routes.ts';
import type { StreamService } from '../../src/stream/service.ts';
import { approved } from './notes.ts';
import { openReceiver, openStreamRoom, QUICK, streamTo, until } from './room.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are checked against their schemas
type Json = any;

async function serve(streams: StreamService, permissions: readonly Permission[]) {
  const door = apiDoor(streamRoutes(streams), {
    authenticate: async () => ({
      kind: 'user',
      id: 'u1',
      name: 'alice',
      permissions: new Set(permissions),
      repositories: [],
    }),
    log: createLog('silent'),
    info: { title: 'Bulla', version: '0' },
  });
  const server = await listen([door]);
  const origin = `http://127.0.0.1:${server.port}`;
  return {
    async ask(method: 'GET' | 'POST', path: string, body?: object) {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const headers = { 'content-type': 'application/json', origin };
      const answer = await fetch(`${origin}/api/bulla/v1${path}`, { method, headers, ...sent });
      const text = await answer.text();
      const json: Json = text === '' ? null : JSON.parse(text);
      return { status: answer.status, json };
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const ALL: readonly Permission[] = ['record.read', 'streams.manage'];
const LETTERS = '/streams/siem/dead-letters';

test('dead letters are listed, sent again under their id, and dropped, which the record tells', async () => {
  await using at = await openStreamRoom();
  let status = 400;
  await using receiver = await openReceiver(() => status);
  const streams = await at.start([streamTo(receiver.url)]);
  for (const subject of ['a', 'b', 'c']) await at.room.record.note(approved(subject));
  await until('three are dead', async () => (await streams.list())[0]?.deadLetters === 3);
  // Retention does not reach dead letters: what they hold is sent all the same.
  at.room.time.ms += 86_400_000;
  await using api = await serve(streams, ALL);
  const first = await api.ask('GET', `${LETTERS}?limit=2`);
  const { deadLetters, next } = first.json;
  assert.deepEqual([deadLetters.length, next], [2, 2]);
  const rest = await api.ask('GET', `${LETTERS}?after=${next}`);
  assert.deepEqual([rest.json.deadLetters.length, rest.json.next], [1, null]);
  const [letter] = deadLetters;
  const { answer: schema } = streamRoutes(streams)[1] ?? {};
  assert.ok(schema !== undefined && Check(schema, first.json));
  assert.deepEqual([letter.seq, letter.kind, letter.reason], [1, 'act', 'answered 400']);

  // One more attempt that fails is counted; one that is taken ends the letter.
  const again = await api.ask('POST', `${LETTERS}/retry`, { ids: [letter.id] });
  assert.deepEqual(again.json, { retrying: 1 });
  await until('it failed again', async () => {
    const { json } = await api.ask('GET', LETTERS);
    return json.deadLetters[0]?.attempts === 2 && json.deadLetters[0]?.retrying === false;
  });
  status = 200;
  await api.ask('POST', `${LETTERS}/retry`, { ids: [letter.id] });
  await until('it was taken', async () => {
    const { json } = await api.ask('GET', LETTERS);
    return json.deadLetters.every(({ id }: Json) => id !== letter.id);
  });
  const ids = receiver.got.filter(({ id }) => id === letter.id);
  assert.equal(ids.length, 3);
  assert.equal(new Set(ids.map(({ body }) => body)).size, 1);

  const dropped = await api.ask('POST', `${LETTERS}/drop`, {});
  assert.ok(dropped.json.dropped >= 2);
  const { acts } = await at.room.record.acts({ act: 'stream' });
  assert.deepEqual([...new Set(acts.map(({ act }) => act.act))].toSorted(), [
    'stream.dead-letters-dropped',
    'stream.dead-letters-retried',
  ]);
  assert.equal(acts[0]?.act.actor.name, 'alice');
});

const REFUSED: readonly (readonly [
  'GET' | 'POST',
  string,
  object | undefined,
  readonly Permission[],
  number,
  string,
])[] = [
  ['GET', '/streams', undefined, [], 403, 'access.denied'],
  ['GET', LETTERS, undefined, ['streams.manage'], 403, 'access.denied'],
  ['POST', `${LETTERS}/retry`, {}, ['record.read'], 403, 'access.denied'],
  ['POST', `${LETTERS}/drop`, {}, ['record.read'], 403, 'access.denied'],
  ['GET', '/streams/none/dead-letters', undefined, ALL, 404, 'stream.unknown'],
  ['POST', '/streams/none/dead-letters/drop', {}, ALL, 404, 'stream.unknown'],
  ['POST', `${LETTERS}/retry`, { ids: ['1-none'] }, ALL, 404, 'stream.dead-letter-unknown'],
  ['POST', `${LETTERS}/drop`, { ids: [] }, ALL, 400, 'http.request-invalid'],
  ['POST', `${LETTERS}/drop`, { all: true }, ALL, 400, 'http.request-invalid'],
  ['GET', `${LETTERS}?after=-1`, undefined, ALL, 400, 'http.request-invalid'],
];

test('what is not there, not allowed or malformed is refused', async (t) => {
  await using at = await openStreamRoom();
  await using receiver = await openReceiver();
  const streams = await at.start([streamTo(receiver.url)]);
  for (const [method, path, body, permissions, status, code] of REFUSED) {
    await t.test(`${method} ${path} ${code}`, async () => {
      await using api = await serve(streams, permissions);
      const answer = await api.ask(method, path, body);
      assert.deepEqual([answer.status, answer.json.code], [status, code]);
    });
  }
});

test('a store of dead letters that is full holds the stream, and loses nothing', async () => {
  await using at = await openStreamRoom();
  let status = 400;
  await using receiver = await openReceiver(() => status);
  const pace = { ...QUICK, deadLetters: 2 };
  const streams = await at.start([streamTo(receiver.url)], { pace });
  for (const subject of ['a', 'b', 'c', 'd']) await at.room.record.note(approved(subject));
  await until(
    'it is held',
    async () => (await streams.list())[0]?.reason?.includes('full') === true,
  );
  const [held] = await streams.list();
  assert.deepEqual([held?.seq, held?.deadLetters], [2, 2]);
  status = 200;
  await until('the rest is sent', async () => (await streams.list())[0]?.seq === 4);
  assert.equal((await streams.list())[0]?.deadLetters, 2);
});

test('a dead letter that somebody altered stops nothing', async () => {
  await using at = await openStreamRoom();
  let status = 400;
  await using receiver = await openReceiver(() => status);
  const streams = await at.start([streamTo(receiver.url)]);
  await at.room.record.note(approved('a'));
  await until('it is dead', async () => (await streams.list())[0]?.deadLetters === 1);
  await at.room.tables.db.updateTable('stream_dead_letters').set({ event: '{' }).execute();
  status = 200;
  const by = { kind: 'user', id: 'u1', name: 'alice' } as const;
  await streams.retry('siem', 'all', by);
  await until('it was looked at', async () => {
    const [letter] = await streams.deadLetters('siem', { after: 0, limit: 1 });
    return letter?.reason === 'the dead letter cannot be read';
  });
});
