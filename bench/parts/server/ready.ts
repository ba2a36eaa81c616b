import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, pair, type Row } from '../../pairing.ts';
import { runToEnd } from '../../program.ts';
import { startUp } from './running.ts';
import { prepareGround } from './signed-images.ts';

const ROUNDS = 11;

/** From the start of the process to the line `ready` of `bulla up`: the first time, and later ones. */
export async function readyRow(): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-bench-'));
  try {
    const { policyFile } = await prepareGround(folder);
    const data = join(folder, 'data');
    const start = async () => {
      const began = performance.now();
      const bulla = await startUp(data, policyFile);
      const tookMs = performance.now() - began;
      await bulla[Symbol.asyncDispose]();
      return tookMs;
    };
    const first = await start();
    const starts: number[] = [];
    const bare = await pair(
      () => runToEnd(process.execPath, ['-e', '0']),
      async () => void starts.push(await start()),
      ROUNDS,
    );
    const ready = median(starts);
    return {
      name: 'bulla up, from its start to ready',
      figures: `the first time, on an empty folder, ${(first / 1000).toFixed(2)} s; node -e 0 ${bare.a.toFixed(0)} ms`,
      ratio: ready / 1000,
      unit: 's',
      goal: { at: 'most', value: 1 },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
