import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { Check } from 'typebox/value';
import { gatewayApiRoutes } from '../../src/gateway/api-routes.ts';
import { GATEWAY_CONFIG } from '../../src/gateway/config.ts';
import { tableHistory } from '../../src/gateway/history.ts';
import { gatewayDoor } from '../../src/gateway/routes.ts';
import { createGateway } from '../../src/gateway/service.ts';
import type { Principal } from '../../src/http/principal.ts';
import { openMemory } from '../../src/storage/memory/open.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import { digestOf, manifestOf, OCI_MANIFEST } from './client.ts';
import { decisionTable, person, tableAccess, tablePorts } from './people.ts';

const ALL = person('all', { repository: '**', actions: ['pull', 'push'] });
const SOME = person('some', { repository: 'team/*', actions: ['pull'] });
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

async function open() {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const clock = () => new Date(now);
  const { objects, registers } = openMemory();
  const rows = await openSqlite(':memory:');
  await migrate(rows, { clock });
  const ports = tablePorts(decisionTable(), tableAccess([ALL, SOME]), {
    history: tableHistory(rows.tables),
  });
  const gateway = createGateway({ objects, registers, config: GATEWAY_CONFIG, ports, clock });
  assert.equal(gatewayDoor(gateway).prefix, '/v2');
  const decision = { id: '01JD', outcome: 'admit', effect: 'pass', at: '2026-01-01T00:00:00.000Z' };
  const routes = gatewayApiRoutes(gateway, async (repository) =>
    repository === 'localhost/team/app' ? decision : null,
  );
  const blob = async (repository: string, content: string) => {
    const upload = await gateway.startUpload(repository, 'sha256');
    const bytes = (async function* () {
      yield Buffer.from(content);
    })();
    await gateway.appendChunk(repository, upload, { content: bytes, range: null, length: null });
    await gateway.finishUpload(repository, upload, digestOf(content));
  };
  return {
    gateway,
    [Symbol.asyncDispose]: () => rows[Symbol.asyncDispose](),
    async push(repository: string, tag: string, body: string) {
      now += 60_000;
      for (const one of ['{}', 'layer', 'payload']) await blob(repository, one);
      await gateway.pushManifest({
        repository,
        reference: { tag },
        tags: [],
        contentType: OCI_MANIFEST,
        bytes: Buffer.from(body),
        conditions: {},
      });
    },
    async get(path: string, query: Record<string, string> = {}, principal: Principal = ALL) {
      const route = routes.find((one) => one.path === path);
      assert.ok(route?.query !== undefined && route.answer !== undefined);
      assert.equal(route.needs, 'repositories.read');
      assert.ok(Check(route.query, query));
      const call = { principal, params: {}, query, body: undefined, request: null as never };
      const value = await route.handle(call);
      assert.ok(Check(route.answer, value), JSON.stringify(value));
      return value as Record<string, unknown>;
    },
  };
}

const IMAGE = manifestOf({ layers: ['layer'] });
const SIGNATURE = JSON.stringify({
  ...JSON.parse(manifestOf({ subject: digestOf(IMAGE), artifactType: BUNDLE })),
  layers: [{ mediaType: BUNDLE, digest: digestOf('payload'), size: 7 }],
  annotations: {
    'dev.sigstore.bundle.content': 'dsse-envelope',
    'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1',
  },
});

test('repositories are listed as far as the caller may pull them', async () => {
  await using api = await open();
  await api.push('team/app', 'v1', IMAGE);
  await api.push('other', 'v1', IMAGE);
  assert.deepEqual(await api.get('/repositories'), {
    repositories: [{ name: 'other' }, { name: 'team/app' }],
    next: null,
  });
  assert.deepEqual(await api.get('/repositories', {}, SOME), {
    repositories: [{ name: 'team/app' }],
    next: null,
  });
  for (const name of ['other', 'absent']) {
    await assert.rejects(api.get('/repository', { name }, SOME), (error) => {
      return error instanceof TrustFault && error.code === 'gateway.name-unknown';
    });
  }
});

test('tags are shown with what is attached to them, without the tags of signatures', async () => {
  await using api = await open();
  const name = 'team/app';
  await api.push(name, 'v1', IMAGE);
  await api.push(
    name,
    `${digestOf(IMAGE).replace(':', '-')}.sig`,
    manifestOf({ layers: ['payload'] }),
  );
  await api.push(name, 'signature', SIGNATURE);
  const { tags, next, canonical } = await api.get('/repository', { name });
  assert.equal(next, null);
  assert.equal(canonical, 'localhost/team/app', 'the name by which policies match');
  const [signature, v1] = tags as readonly Record<string, unknown>[];
  assert.equal((tags as unknown[]).length, 2);
  assert.equal(signature?.['tag'], 'signature');
  assert.equal(v1?.['digest'], digestOf(IMAGE));
  assert.equal(v1?.['sizeBytes'], IMAGE.length + 2 + 'layer'.length);
  assert.equal(v1?.['since'], '2026-01-01T00:01:00.000Z');
  assert.deepEqual(v1?.['lastDecision'], {
    id: '01JD',
    outcome: 'admit',
    effect: 'pass',
    at: '2026-01-01T00:00:00.000Z',
  });
  const attached = v1?.['attached'] as { digest: string; kind: string }[];
  assert.ok(
    attached.some(({ digest, kind }) => digest === digestOf(SIGNATURE) && kind === 'signature'),
  );
});

test('tags come in pages', async () => {
  await using api = await open();
  const expected = Array.from({ length: 30 }, (_, n) => `v${String(n).padStart(2, '0')}`);
  for (const tag of expected) await api.push('team/app', tag, IMAGE);
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Record<string, unknown> = await api.get('/repository', {
      name: 'team/app',
      ...(cursor === null ? {} : { cursor }),
    });
    found.push(...(page['tags'] as { tag: string }[]).map(({ tag }) => tag));
    cursor = page['next'] as string | null;
  } while (cursor !== null);
  assert.deepEqual(found, expected);
});

test('the history of a tag shows what came back', async () => {
  await using api = await open();
  const [first, second] = [IMAGE, manifestOf({ layers: ['payload'] })];
  for (const body of [first, second, first]) await api.push('team/app', 'v1', body);
  const { history } = await api.get('/repository/history', { name: 'team/app', tag: 'v1' });
  assert.deepEqual(history, [
    {
      digest: digestOf(second),
      from: '2026-01-01T00:02:00.000Z',
      until: '2026-01-01T00:02:00.000Z',
      rollback: false,
    },
    { digest: digestOf(first), from: '2026-01-01T00:01:00.000Z', until: null, rollback: true },
  ]);
});
