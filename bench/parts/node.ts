import { spawn } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNodeDaemon } from '@bulla/server/node-agent/daemon';
import { computeDigest } from '@bulla/trust/oci/digest';
import { pair, type Row } from '../pairing.ts';
import { runToEnd } from '../program.ts';

const CLI = fileURLToPath(new URL('../../packages/cli/bin/bulla.js', import.meta.url));
const ROUNDS = 31;
const DIGEST = computeDigest(Buffer.from('an image'));
const DESCRIPTOR = {
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: DIGEST,
  size: 1000,
};

/** containerd's verifier as it is installed, before the daemon of a node that has the pass. */
export async function nodeRows(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-bench-node-'));
  const socket = join(folder, 'node.sock');
  const bin = join(folder, 'bin');
  await using _daemon = await startNodeDaemon({
    server: {
      ask: async ({ digest }) => ({
        ...{ outcome: 'admit', digest, decision: 'D', code: '', message: '', warnings: [] },
        ...{ generation: 'g', freshForMs: 60_000, mayStandIn: true, validUntil: null },
      }),
      report: async () => undefined,
      probe: async () => undefined,
    },
    socket: { path: socket, mode: 0o600 },
    cache: join(folder, 'cache'),
    staleForMs: 60_000,
    freshMostMs: 60_000,
    clock: () => new Date(),
    now: () => performance.now(),
    judged: () => undefined,
    failed: (fault) => console.error(fault.message),
  });
  try {
    await runToEnd(process.execPath, [CLI, 'node', 'install-verifier', bin, '--socket', socket]);
    const input = join(folder, 'descriptor.json');
    await writeFile(input, JSON.stringify(DESCRIPTOR));
    const verifier = join(bin, 'bulla-containerd-verifier');
    const paired = await pair(
      () => runToEnd(process.execPath, ['-e', '0']),
      () => verify(verifier, input),
      ROUNDS,
    );
    return [
      {
        name: "containerd's verifier with a warm daemon, from its start to its end",
        figures: `node -e 0 ${paired.a.toFixed(1)} ms, × ${paired.ratio.toFixed(2)}`,
        ratio: paired.b,
        unit: 'ms',
        goal: { at: 'most', value: 60 },
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One run as containerd starts it: the descriptor on standard input, and no environment. */
async function verify(verifier: string, input: string): Promise<void> {
  await using file = await open(input, 'r');
  const type = 'application/vnd.oci.descriptor.v1+json';
  const args = ['-name', 'registry.example/app:v1', '-digest', DIGEST, '-stdin-media-type', type];
  await new Promise<void>((resolve, reject) => {
    const child = spawn(verifier, args, { stdio: [file.fd, 'ignore', 'ignore'], env: {} });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`the verifier exited with ${code}`)),
    );
  });
}
