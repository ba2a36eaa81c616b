import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Owner, RunningServer } from '../server.ts';
import type { AckedImage, Ledger, MovedTag } from './ledger.ts';
import { AUDITED, ENFORCED } from './load.ts';

const AT_ONCE = 16;

/** Who looks after a kill: with a token that reads what no policy admits. */
export interface Looking {
  readonly server: RunningServer;
  readonly owner: Owner;
  readonly signToken: string;
}

/** Everything that was acknowledged is there, what was not is there whole or not at all. */
export async function checkAll(looking: Looking, ledger: Ledger): Promise<void> {
  assert.deepEqual(ledger.surprises, []);
  const ready = await fetch(`${looking.server.origin}/readyz`);
  assert.equal(ready.status, 200, await ready.text());
  await inTurns(ledger.images, (image) => checkImage(looking, image));
  await inTurns([...ledger.uploads], ([path, acked]) => checkUpload(looking, path, acked));
  await inTurns([...ledger.moved], async ([name, state]) => {
    const found = await checkMoved(looking, name, state);
    // Seen after a kill, it must be there after the next one as well, acknowledged or not.
    if (found !== null) ledger.moved.set(name, { acked: found, asked: found });
  });
  await inTurns([...ledger.deleted], async ([name, state]) => {
    if (state === 'asked') return;
    const [repository = '', digest = ''] = name.split('@');
    const { status } = await get(looking, `/v2/${repository}/manifests/${digest}`);
    assert.equal(status, 404, `${name} was deleted`);
  });
  for (const repository of [AUDITED, ENFORCED]) await checkTags(looking, repository);
  await checkRecord(looking, ledger);
}

async function inTurns<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE) {
    await Promise.all(items.slice(at, at + AT_ONCE).map(act));
  }
}

async function get({ server, signToken }: Looking, path: string) {
  const authorization = `Basic ${Buffer.from(`token:${signToken}`).toString('base64')}`;
  const answer = await fetch(new URL(path, server.origin), { headers: { authorization } });
  return {
    status: answer.status,
    headers: answer.headers,
    bytes: Buffer.from(await answer.arrayBuffer()),
  };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function checkImage(looking: Looking, image: AckedImage): Promise<void> {
  const { repository, tag, digest, blobs } = image;
  const { status, bytes } = await get(looking, `/v2/${repository}/manifests/${tag}`);
  assert.equal(status, 200, `${repository}:${tag} was acknowledged: ${bytes}`);
  assert.equal(digestOf(bytes), digest);
  for (const blob of blobs) await checkBlob(looking, repository, blob);
}

async function checkBlob(looking: Looking, repository: string, digest: string): Promise<void> {
  const { status, bytes } = await get(looking, `/v2/${repository}/blobs/${digest}`);
  assert.equal(status, 200, `blob ${digest} of ${repository}`);
  assert.equal(digestOf(bytes), digest);
}

/** An upload goes on from all that was answered, or from more. */
async function checkUpload(looking: Looking, path: string, acked: number): Promise<void> {
  const { status, headers } = await get(looking, path);
  assert.equal(status, 204, `upload ${path}`);
  // `0-0` is nothing as well as one byte.
  const [, last = ''] = /^0-(\d+)$/.exec(headers.get('range') ?? '') ?? [];
  assert.ok(Number(last) + 1 >= acked, `${path}: ${last} after ${acked} bytes`);
}

/** What a tag leads to that was asked to move; null when it never was there. */
async function checkMoved(
  looking: Looking,
  name: string,
  { acked, asked }: MovedTag,
): Promise<string | null> {
  const [repository = '', tag = ''] = name.split(':');
  const { status, bytes } = await get(looking, `/v2/${repository}/manifests/${tag}`);
  if (acked === null && status === 404) return null;
  assert.equal(status, 200, name);
  const found = digestOf(bytes);
  assert.ok([acked, asked].includes(found), `${name} leads to neither ${acked} nor ${asked}`);
  return found;
}

/** Every tag, acknowledged or not, leads to whole content. */
async function checkTags(looking: Looking, repository: string): Promise<void> {
  const { status, bytes } = await get(looking, `/v2/${repository}/tags/list`);
  if (status === 404) return;
  const tags: readonly string[] = JSON.parse(bytes.toString()).tags ?? [];
  await inTurns(tags, async (tag) => {
    const manifest = await get(looking, `/v2/${repository}/manifests/${tag}`);
    assert.equal(manifest.status, 200, `${repository}:${tag}`);
    const { config, layers } = JSON.parse(manifest.bytes.toString());
    for (const { digest } of [config, ...layers]) await checkBlob(looking, repository, digest);
  });
}

async function checkRecord({ owner }: Looking, ledger: Ledger): Promise<void> {
  const verified = await owner.ask('GET', '/record/verify');
  assert.equal(verified.json.outcome, 'pass', verified.text);
  await inTurns([...ledger.decisions], async (id) => {
    const { status } = await owner.ask('GET', `/decisions/${id}`);
    assert.equal(status, 200, `decision ${id} was told`);
  });
  const listed = await owner.ask('GET', '/tokens');
  const names = new Set(listed.json.tokens.map(({ name }: { readonly name: string }) => name));
  for (const name of ledger.tokens) assert.ok(names.has(name), `token ${name} was shown`);
}

/** What SQLite itself finds wrong with the files of a server that does not run. */
export function checkDatabase(data: string): void {
  const database = new DatabaseSync(join(data, 'tables.db'));
  try {
    const found = database.prepare('pragma integrity_check').all();
    assert.deepEqual(
      found.map((row) => row['integrity_check']),
      ['ok'],
    );
  } finally {
    database.close();
  }
}
