import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pushImage } from '../../demo/image.ts';
import { MIGRATIONS } from '../../packages/server/src/storage/migrations.ts';
import { openRepository } from '../artifact.ts';
import { basic, signInOwner, startUp } from '../server.ts';
import { openStage } from '../stage.ts';
import { checkDatabase } from './check.ts';
import { freeOrigin, type Moment, startToKill } from './rounds.ts';

const IMAGES = 3;
const REPOSITORY = 'team/app';

/** A data folder as the version before the record left it, with an owner, a token and images. */
export interface OlderFolder extends AsyncDisposable {
  /**
   * Starts the server on a copy, kills it while it brings the schema up to date or soon after, and
   * starts it again: everything of before must be there, and what is new must work.
   */
  readonly killUpgrade: (moment: Moment) => Promise<void>;
}

/** Makes the folder by this version, and takes back what the newer migrations made. */
export async function openOlderFolder(): Promise<OlderFolder> {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const listen = [await freeOrigin()];
  const server = await startUp(stage, { data: 'older', listen });
  const owner = await signInOwner(server);
  const actions = ['pull', 'push', 'sign'] as const;
  const token = await owner.makeToken({ name: 'release', repository: '**', actions });
  const target = await openRepository(`${server.host}/${REPOSITORY}`, token);
  const digests: string[] = [];
  for (let n = 0; n < IMAGES; n++) digests.push(await pushImage(target, `v${n}`, `image ${n}`));
  await server.stop();
  makeOlder(join(server.data, 'tables.db'));
  let round = 0;
  const life = opened.move();
  return {
    async killUpgrade(moment) {
      const data = `copy-${round++}`;
      await cp(stage.path('older'), stage.path(data), { recursive: true });
      const wanted = { data, listen };
      const killed = await startToKill(stage, wanted, moment);
      await killed?.kill();
      const file = join(stage.path(data), 'tables.db');
      checkDatabase(stage.path(data));
      assert.ok([OLDER, NEWEST].includes(newerTables(file).length), 'the old schema or the new');
      await using upgraded = await startUp(stage, wanted);
      assert.equal(newerTables(file).length, NEWEST);
      for (const [n, digest] of digests.entries()) {
        const path = `${upgraded.origin}/v2/${REPOSITORY}/manifests/v${n}`;
        const answer = await fetch(path, { headers: basic(token) });
        assert.equal(answer.status, 200, 'the token and the image of before');
        const sum = createHash('sha256')
          .update(await answer.bytes())
          .digest('hex');
        assert.equal(`sha256:${sum}`, digest);
      }
      await pushImage(await openRepository(`${upgraded.host}/${REPOSITORY}`, token), 'new', 'new');
      await upgraded.stop();
      checkDatabase(upgraded.data);
      await stage.succeeds(['record', 'verify', '--data', upgraded.data]);
      await rm(stage.path(data), { recursive: true });
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

const NEWER = [
  '0003-record',
  '0004-gateway',
  '0005-exceptions',
  '0006-stream',
  '0007-simulations',
  '0008-exception-requesters',
] as const;
const NEWER_TABLES = /^record_|^tag_history$|^exceptions$|^stream_|^simulations$/;
/** How many tables the newer migrations make. */
const NEWEST = 10;
const OLDER = 0;

function newerTables(file: string): readonly string[] {
  const database = new DatabaseSync(file);
  try {
    const all = database.prepare("select name from sqlite_master where type = 'table'").all();
    return all.map(({ name }) => String(name)).filter((name) => NEWER_TABLES.test(name));
  } finally {
    database.close();
  }
}

function makeOlder(file: string): void {
  const tables = newerTables(file);
  assert.equal(tables.length, NEWEST, tables.join());
  // A migration that comes after these must be taken back here as well.
  assert.deepEqual(Object.keys(MIGRATIONS).slice(-NEWER.length), NEWER);
  const database = new DatabaseSync(file);
  try {
    for (const name of tables) database.exec(`drop table ${name}`);
    for (const name of NEWER) {
      const { changes } = database.prepare('delete from kysely_migration where name = ?').run(name);
      assert.equal(changes, 1, name);
    }
  } finally {
    database.close();
  }
}
