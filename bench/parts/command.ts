import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRegistry } from '@bulla/server/registry';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import { keyFileIo } from '@bulla/trust/keys/file/disk';
import { generatePrivateKey, plainPrivateKeyPem } from '@bulla/trust/keys/file/generate';
import { openSigner } from '@bulla/trust/keys/file/open';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { NO_SERVICES } from '@bulla/trust/proof/services';
import { signArtifact } from '@bulla/trust/sign';
import { pushImage } from '../../demo/image.ts';
import { onPath } from '../on-path.ts';
import { median, pair, type Row } from '../pairing.ts';
import { runToEnd } from '../program.ts';

const CLI = fileURLToPath(new URL('../../packages/cli/bin/bulla.js', import.meta.url));
const MANY = 100;
const ROUNDS = 21;

interface Stage {
  readonly folder: string;
  readonly image: string;
  /** `verify` with the key, for so many images. */
  args(count: number): readonly string[];
}

/** A registry with `MANY` signed images, and the key's public half in a file. */
async function prepare(folder: string, host: string): Promise<Stage> {
  const path = join(folder, 'bench.key');
  await writeFile(path, plainPrivateKeyPem(await generatePrivateKey()), { mode: 0o600 });
  const signer = await openSigner({ kind: 'file', path }, keyFileIo({}));
  await writeFile(join(folder, 'bench.pub'), publicKeyPem(signer.publicKey));
  const image = `${host}/bench/app`;
  const target = await openStore(parseReference(image), { env: {}, homeFolder: folder });
  for (let count = 0; count < MANY; count++) {
    const digest = await pushImage(target, `v${count}`, `Hello ${count}.`);
    await signArtifact({
      signer,
      services: NO_SERVICES,
      trustRoot: null,
      at: new Date(),
      now: () => performance.now(),
      target,
      tagOrDigest: digest,
      dockerReference: image,
      formats: ['sigstore-bundle'],
      annotations: {},
      recursive: false,
      upload: true,
    });
  }
  const args = (count: number) => [
    'verify',
    '--key',
    join(folder, 'bench.pub'),
    ...Array.from({ length: count }, (_, index) => `${image}:v${index}`),
  ];
  return { folder, image, args };
}

async function besideNode(stage: Stage): Promise<Row> {
  const paired = await pair(
    () => runToEnd(process.execPath, ['-e', '0']),
    () => runToEnd(process.execPath, [CLI, ...stage.args(1)]),
    ROUNDS,
  );
  return {
    name: 'bulla verify of one image, wall time',
    figures: `${paired.b.toFixed(1)} ms, node -e 0 ${paired.a.toFixed(1)} ms`,
    ratio: paired.ratio,
    unit: '× node -e 0',
    goal: { at: 'most', value: 1.8 },
  };
}

async function besideCosign(stage: Stage): Promise<readonly Row[]> {
  const cosign = onPath('cosign');
  if (cosign === null) {
    console.log('cosign is not on the PATH: its comparison is left out');
    return [];
  }
  const key = join(stage.folder, 'bench.pub');
  const args = ['verify', '--key', key, '--insecure-ignore-tlog=true', `${stage.image}:v0`];
  const paired = await pair(
    () => runToEnd(cosign, args, { ...process.env, HOME: stage.folder }),
    () => runToEnd(process.execPath, [CLI, ...stage.args(1)]),
    ROUNDS,
  );
  const row: Row = {
    name: 'bulla verify of one image beside cosign verify',
    figures: `${paired.b.toFixed(1)} ms, cosign ${paired.a.toFixed(1)} ms`,
    ratio: paired.ratio,
    unit: '× cosign',
    goal: { at: 'most', value: 1.3 },
  };
  return [row];
}

async function manyImages(stage: Stage): Promise<Row> {
  const paired = await pair(
    () => runToEnd(process.execPath, [CLI, ...stage.args(1)]),
    () => runToEnd(process.execPath, [CLI, ...stage.args(MANY)]),
    9,
  );
  const each = (paired.b - paired.a) / (MANY - 1);
  return {
    name: `${MANY} images in one command, each after the first`,
    figures: `${paired.b.toFixed(0)} ms for ${MANY}, ${paired.a.toFixed(0)} ms for one`,
    ratio: each,
    unit: 'ms an image',
    goal: { at: 'most', value: 3 },
  };
}

/** Peak resident memory of one run, in MiB, as the process itself reports it at its end. */
function peakMemory(args: readonly string[]): Promise<number> {
  const report =
    'data:text/javascript,process.on("exit",()=>process.stderr.write("\\nPEAK "%2Bprocess.resourceUsage().maxRSS))';
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', report, CLI, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    child.once('close', () => {
      const kibibytes = Number(/PEAK (\d+)/.exec(text)?.[1]);
      if (kibibytes > 0) resolve(kibibytes / 1024);
      else reject(new Error('the process reported no memory'));
    });
  });
}

async function memory(stage: Stage): Promise<Row> {
  const peaks: number[] = [];
  for (let round = 0; round < 5; round++) peaks.push(await peakMemory(stage.args(1)));
  return {
    name: 'peak memory of bulla verify',
    figures: `${peaks.map((peak) => peak.toFixed(0)).join(', ')} MiB over 5 runs`,
    ratio: median(peaks),
    unit: 'MiB',
    goal: { at: 'most', value: 90 },
  };
}

/** The rows of the built command, against a registry of Bulla's own on loopback. */
export async function commandRows(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-bench-'));
  try {
    await using registry = await startRegistry({ storage: 'memory' }, {});
    const stage = await prepare(folder, registry.host);
    return [
      await besideNode(stage),
      ...(await besideCosign(stage)),
      await manyImages(stage),
      await memory(stage),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
