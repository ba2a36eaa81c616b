import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '../../pairing.ts';
import { ACCEPT } from './load.ts';
import { memoryOf, startUp } from './running.ts';
import { prepareGround, pushSignedImages } from './signed-images.ts';

const IMAGES = 10_000;
const LAYER = Buffer.alloc(512);
const CONNECTIONS = 16;

/** `bulla up` that takes 10,000 signed images and serves each once: its memory, and how fast. */
export async function memoryRows(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-bench-'));
  try {
    const { policyFile, signer } = await prepareGround(folder);
    await using bulla = await startUp(join(folder, 'data'), policyFile);
    const { host, pid, pushToken } = bulla;
    const atStart = await memoryOf(pid);
    const began = performance.now();
    const repository = `${host}/bench/app`;
    const pushed = { repository, token: pushToken, signer, count: IMAGES, layer: LAYER };
    const { images } = await pushSignedImages(pushed);
    const pushedMs = performance.now() - began;
    const afterPush = await memoryOf(pid);
    const coldMs = await pullEach(
      host,
      images.map(({ digest }) => `/v2/bench/app/manifests/${digest}`),
    );
    const end = await memoryOf(pid);
    const mib = (mebibytes: number) => mebibytes.toFixed(0);
    return [
      {
        name: `memory of bulla up after ${IMAGES} distinct images`,
        figures: `resident; ${mib(atStart.now)} MiB when ready, ${mib(afterPush.now)} after ${IMAGES} pushes and signatures, ${mib(end.peak)} at the highest`,
        ratio: end.now,
        unit: 'MiB',
        goal: { at: 'most', value: 250 },
      },
      {
        name: 'decisions about images never decided before, local store',
        figures: `${IMAGES} pulls over ${CONNECTIONS} connections in ${(coldMs / 1000).toFixed(1)} s, each recorded by itself; pushed and signed in ${(pushedMs / 1000).toFixed(1)} s`,
        ratio: (IMAGES / coldMs) * 1000,
        unit: 'a second',
        goal: null,
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Pulls each path once; answers how long all took, in milliseconds. */
async function pullEach(host: string, paths: readonly string[]): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const began = performance.now();
  let next = 0;
  const lane = async () => {
    for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
      await pull(agent, host, path);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  agent.destroy();
  return performance.now() - began;
}

function pull(agent: Agent, host: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(`http://${host}${path}`, { agent, headers: { accept: ACCEPT } }, (response) => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${path}: ${response.statusCode}`));
      });
    }).once('error', reject);
  });
}
