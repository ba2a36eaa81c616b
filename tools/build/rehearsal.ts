import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RECORDER = fileURLToPath(new URL('record-code.cjs', import.meta.url));
const TIMEOUT_MS = 30_000;

/** The runs, in an order in which each finds what it needs; `host` is a registry on loopback. */
function runs(vectors: string, host: string): readonly (readonly string[])[] {
  const image = `${host}/rehearsal/app:v1`;
  const keyless = `${host}/rehearsal/keyless:v1`;
  const signer = ['--key', 'k.key'];
  const identity = ['--certificate-identity', 'dev@acme.example'];
  const issuer = ['--certificate-oidc-issuer', 'http://127.0.0.1:7005'];
  const trust = ['--trusted-root', join(vectors, 'trust/trusted_root.json')];
  return [
    ['copy', `oci:${join(vectors, 'oci/cosign-key-bundle.tar')}:nolog-p256`, image],
    ['copy', `oci:${join(vectors, 'oci/cosign-keyless-bundle')}:email`, keyless],
    ['verify', '--key', join(vectors, 'keys/p256.pub'), image],
    ['verify', ...identity, ...issuer, ...trust, keyless],
    ['key', 'generate', '--output-key-prefix', 'k'],
    ['sign', ...signer, '--format', 'both', image],
    ['verify', '--key', 'k.pub', image],
    ['attest', ...signer, '--predicate', 'predicate.json', '--type', 'custom', image],
    ['tree', image],
    ['inspect', image],
    ['doctor', 'registry', host],
    ['save', image, '--output', 'parcel.tar'],
    ['load', 'parcel.tar', '--help'],
    ['clean', '--yes', image],
    ['blob', 'sign', ...signer, '--bundle', 'blob.bundle', 'predicate.json'],
    ['blob', 'verify', '--key', 'k.pub', '--bundle', 'blob.bundle', 'predicate.json'],
    ['up', '--data', 'data', '--listen', 'http://127.0.0.1:0'],
    ['serve', '--config', 'bulla.yaml'],
    ['node', '--help'],
    ['login', '--help'],
    ['logout', '--help'],
    ['completion', 'bash'],
  ];
}

/**
 * Runs the built `main` once for each command, with `record-code.cjs` loaded before it, against a
 * registry of Bulla's own. Returns a line for each run that did not end with 0.
 */
export async function rehearse(root: string, main: string): Promise<readonly string[]> {
  // Loaded only now: in a fresh clone the build has just made it.
  const { startRegistry } = await import('@bulla/server/registry');
  const folder = mkdtempSync(join(tmpdir(), 'bulla-rehearsal-'));
  try {
    writeFileSync(join(folder, 'predicate.json'), '{}');
    writeFileSync(join(folder, 'bulla.yaml'), 'listen: [{ url: "http://127.0.0.1:0" }]\n');
    await using registry = await startRegistry({ storage: 'memory' });
    const failures: string[] = [];
    for (const args of runs(join(root, 'vectors/cosign'), registry.host)) {
      const failure = await run(folder, main, args);
      if (failure !== null) failures.push(`${args.slice(0, 2).join(' ')}: ${failure}`);
    }
    return failures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(folder: string, main: string, args: readonly string[]): Promise<string | null> {
  const child = spawn(process.execPath, ['--require', RECORDER, main, ...args], {
    cwd: folder,
    timeout: TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { HOME: folder, BULLA_PASSPHRASE: 'a rehearsal' },
  });
  child.stdout.on('data', (chunk: Buffer) => {
    // A server has started with that, and would go on for ever.
    if (/^ready /m.test(chunk.toString())) child.kill('SIGTERM');
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve(code === 0 ? null : `exit ${code}, ${said.trim().split('\n').at(-1)}`);
    });
  });
}
