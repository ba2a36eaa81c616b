// `kill -9` of the real server, at moments that are drawn anew in each run. `npm run crash` plays all of them.
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { seeded } from '../../packages/server/test/seeded.ts';
import { openOlderFolder } from './migration.ts';
import { killFirstStart, type Moment, openKilledServer } from './rounds.ts';

/** To play a run again: BULLA_CRASH_SEED=… */
const SEED = Number(process.env['BULLA_CRASH_SEED'] ?? randomInt(2 ** 31));
const WORKING = 6;
const STARTING = 2;
const UPGRADING = 2;
/** How long a first start takes, generously: a kill after it finds a server that is ready. */
const START_MS = 1500;
/** How long a start on an older folder takes, most of which is no migration. */
const UPGRADE_MS = 700;

test(`kill -9 in the midst of work loses nothing acknowledged, seed ${SEED}`, async (t) => {
  const random = seeded(SEED);
  await using killed = await openKilledServer();
  for (let n = 0; n < WORKING; n++) {
    const moment: Moment = { kind: 'answers', count: 1 + Math.floor(random() * 150) };
    await t.test(JSON.stringify(moment), () => killed.round(moment));
  }
});

test(`kill -9 of a first start leaves a folder that the next one finishes, seed ${SEED}`, async (t) => {
  const random = seeded(SEED + 1);
  for (let n = 0; n < STARTING; n++) {
    const moment: Moment = { kind: 'delay', ms: Math.floor(random() * START_MS) };
    await t.test(JSON.stringify(moment), () => killFirstStart(moment));
  }
});

test(`kill -9 of a start that brings an older folder up to date loses nothing of it, seed ${SEED}`, async (t) => {
  const random = seeded(SEED + 2);
  await using older = await openOlderFolder();
  for (let n = 0; n < UPGRADING; n++) {
    const moment: Moment = { kind: 'delay', ms: Math.floor(random() * UPGRADE_MS) };
    await t.test(JSON.stringify(moment), () => older.killUpgrade(moment));
  }
});
