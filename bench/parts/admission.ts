import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ensureLocalCa } from '@bulla/server/http/tls/local-ca';
import { onPath } from '../on-path.ts';
import { median, pairRates, type Row } from '../pairing.ts';
import { loadReviews, type ReviewLoad, type ReviewsLoaded } from './admission/load.ts';
import { podReview } from './admission/review.ts';
import { startServe } from './server/running.ts';
import { prepareGround, pushSignedImages, type SignedImage } from './server/signed-images.ts';

const IMAGES = 50;
const CONNECTIONS = 32;
const SECONDS = 3;
const ROUNDS = 5;
const LAYER = Buffer.alloc(512);
const BARE = fileURLToPath(new URL('admission/bare.ts', import.meta.url));

/** AdmissionReviews a second over TLS, from a warm cache with the record on. */
export async function* admissionRows(): AsyncGenerator<Row> {
  if (onPath('wrk') === null) {
    console.log('wrk is not on the PATH: admission is not measured');
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'bulla-bench-'));
  try {
    yield* rowsIn(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* rowsIn(folder: string): AsyncGenerator<Row> {
  const { policyFile, signer } = await prepareGround(folder);
  const tls = await ensureLocalCa({ folder: join(folder, 'tls'), at: new Date() });
  const { certificateFile, keyFile } = tls;
  const port = await freePort();
  const more = `admission:
  listen: https://127.0.0.1:${port}
  certificate: ${JSON.stringify(certificateFile)}
  key: ${JSON.stringify(keyFile)}
`;
  await using bulla = await startServe({ folder, policyFile, upstream: '127.0.0.1:9', more });
  const repository = `${bulla.host}/bench/app`;
  const token = bulla.pushToken;
  const { images } = await pushSignedImages({
    repository,
    token,
    signer,
    count: IMAGES,
    layer: LAYER,
  });
  await using bare = await startBare(certificateFile, keyFile);
  const of = (named: (image: SignedImage) => string) =>
    images.map((image) => JSON.stringify(podReview(`${repository}${named(image)}`, randomUUID())));
  const byTag = of(({ tag }) => `:${tag}`);
  const byDigest = of(({ tag, digest }) => `:${tag}@${digest}`);
  const other = loadOf(bare.port, 'mutate', byTag);
  yield* await reviewRows('mutating', other, loadOf(port, 'mutate', byTag));
  yield* await reviewRows('validating', other, loadOf(port, 'validate', byDigest));
}

function loadOf(port: number, hook: string, bodies: readonly string[]): ReviewLoad {
  const path = `/admission/${hook}?timeout=10s`;
  return { port, path, bodies, connections: CONNECTIONS, seconds: SECONDS };
}

async function reviewRows(
  name: string,
  bare: ReviewLoad,
  ours: ReviewLoad,
): Promise<readonly Row[]> {
  await requireAdmitted(ours);
  const rounds: ReviewsLoaded[] = [];
  const paired = await pairRates(
    async () => (await loadReviews(bare)).perSecond,
    async () => {
      const loaded = await loadReviews(ours);
      rounds.push(loaded);
      return loaded.perSecond;
    },
    ROUNDS,
  );
  // The first filled the cache, as in the rate.
  const warm = rounds.slice(1);
  const p50Ms = median(warm.map((round) => round.p50Ms));
  const p99Ms = median(warm.map((round) => round.p99Ms));
  const of = `${name} AdmissionReviews over TLS, warm cache, record on`;
  return [
    {
      name: of,
      figures: `${CONNECTIONS} connections; a bare Node server ${paired.a.toFixed(0)} a second (× ${paired.ratio.toFixed(2)})`,
      ratio: paired.b,
      unit: 'a second',
      goal: { at: 'least', value: 15_000 },
    },
    {
      name: `${of}: p99`,
      figures: `p50 ${p50Ms.toFixed(1)} ms, ${CONNECTIONS} connections`,
      ratio: p99Ms,
      unit: 'ms',
      goal: { at: 'most', value: 10 },
    },
  ];
}

/** What is measured must be the answer that lets an object in. */
async function requireAdmitted({ port, path, bodies: [body = ''] }: ReviewLoad): Promise<void> {
  const answer = await post(port, path, body);
  const { response } = JSON.parse(answer);
  if (response.allowed !== true) throw new Error(`expected an admission, found ${answer}`);
  const isPinned = response.patchType === 'JSONPatch';
  if (path.includes('mutate') !== isPinned) throw new Error(`expected a patch, found ${answer}`);
}

function post(port: number, path: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      method: 'POST',
      // The server's own certificate, made for this run.
      rejectUnauthorized: false,
      headers: { 'content-type': 'application/json' },
    });
    sent.once('error', reject);
    sent.once('response', (response) => void text(response).then(resolve, reject));
    sent.end(body);
  });
}

interface Bare extends AsyncDisposable {
  readonly port: number;
}

function startBare(certificate: string, key: string): Promise<Bare> {
  const child = spawn(process.execPath, [BARE, certificate, key], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.stdout.once('data', (line: Buffer) => {
      const { port } = JSON.parse(line.toString());
      resolve({
        port,
        async [Symbol.asyncDispose]() {
          child.kill('SIGTERM');
          await ended;
        },
      });
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
