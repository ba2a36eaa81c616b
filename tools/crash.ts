/**
 * `npm run crash -- [--at LIFE] [--points N] [--minutes N] [--seed N]`: kills the built server with SIGKILL at all of
 * the moments at which it changes a disk, or at N of them, for at most N minutes (90); by strace, at exactly
 * the n-th such system call of a thread. After each kill the server is started again, and everything that it
 * had acknowledged must be there. Of a first start on an empty folder, and of the first start on the
 * folder of an older version, each call is a moment; of work under load those until 150 answers are.
 * The moments are played in an order drawn by the seed, so that a run that ends early left none out by rule.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { openOlderFolder } from '../journeys/crash/migration.ts';
import { type KilledServer, killFirstStart, openKilledServer } from '../journeys/crash/rounds.ts';
import { seeded } from '../packages/server/test/seeded.ts';
import {
  type CrashPoint,
  choosePoints,
  countCalls,
  KINDS_OF_CALLS,
  NEVER,
} from './crash/points.ts';

const LIVES = ['start', 'upgrade', 'work'] as const;
/** So many kills a folder lives through. */
const FOLDER_KILLS = 10;

const { values } = parseArgs({
  options: {
    at: { type: 'string' },
    points: { type: 'string' },
    minutes: { type: 'string', default: '90' },
    seed: { type: 'string' },
  },
});
const wanted = Number(values.points ?? Number.MAX_SAFE_INTEGER);
const minutes = Number(values.minutes);
const lives = LIVES.filter((life) => life === (values.at ?? life));
const seed = Number(values.seed ?? Math.floor(Date.now() % 2 ** 31));
if (lives.length === 0 || !(wanted >= 1) || !(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error(
    'usage: npm run crash -- [--at start|upgrade|work] [--points N] [--minutes N] [--seed N]',
  );
  process.exit(2);
}
if (spawnSync('strace', ['-V']).error !== undefined) {
  console.error('crash: it needs strace, which kills at exactly one system call');
  process.exit(2);
}

// Whoever ends this ends the server of the moment as well: that is done when a process exits, not when
// a signal ends it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const began = Date.now();
const end = began + minutes * 60_000;
await using older = await openOlderFolder();
const counted: CrashPoint[] = [];
for (const calls of Object.values(KINDS_OF_CALLS)) {
  for (const at of lives) {
    const count = await countCalls((log) => play({ at, calls, nth: NEVER }, log));
    console.log(`${at}: ${count} calls of one thread out of ${calls}`);
    for (let nth = 1; nth <= count; nth++) counted.push({ at, calls, nth });
  }
}
const points = choosePoints(counted, wanted, seeded(seed));
console.log(`${points.length} of ${counted.length} moments, seed ${seed}`);

let played = 0;
let worked = 0;
const failed: CrashPoint[] = [];
// A folder that outlives many kills, as that of a machine with bad power does.
let working = await openKilledServer();
try {
  for (const point of points) {
    if (Date.now() > end) break;
    try {
      await play(point);
    } catch (error) {
      failed.push(point);
      console.error(`FAILED at ${JSON.stringify(point)}`, error);
      await closed(working);
      working = await openKilledServer();
    }
    played += 1;
    if (point.at === 'work') worked += 1;
    // What was acknowledged grows, and all of it is looked at after each kill.
    if (point.at === 'work' && worked % FOLDER_KILLS === 0) {
      await working[Symbol.asyncDispose]();
      working = await openKilledServer();
    }
    if (played % 10 === 0) console.log(`${played} of ${points.length}, ${failed.length} failed`);
  }
} finally {
  await working[Symbol.asyncDispose]();
}
const seconds = Math.round((Date.now() - began) / 1000);
console.log(`killed at ${played} moments in ${seconds} s, ${failed.length} failed`);
if (played < points.length) console.log(`${points.length - played} were left after ${minutes} min`);
if (failed.length > 0 || played === 0) process.exitCode = 1;

async function play({ at, calls, nth }: CrashPoint, log?: string): Promise<void> {
  const moment = { kind: 'call', calls, nth, ...(log === undefined ? {} : { log }) } as const;
  if (at === 'start') return killFirstStart(moment);
  if (at === 'upgrade') return older.killUpgrade(moment);
  if (log === undefined) return working.round(moment);
  await using other = await openKilledServer();
  await other.round(moment);
}

/** What failed may fail to end as well, and has been told of. */
async function closed(server: KilledServer): Promise<void> {
  try {
    await server[Symbol.asyncDispose]();
  } catch (error) {
    console.error('and did not end well', error);
  }
}
