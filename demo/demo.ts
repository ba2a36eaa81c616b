import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRegistry } from '@bulla/server/registry';
import { companionTag } from '@bulla/trust/formats/cosign-legacy/layer';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import type { ArtifactTarget } from '@bulla/trust/oci/store';
import { pushImage } from './image.ts';

// What the demonstration shows is what a person would type; only `bulla` stands for the sources.
const CLI = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));

interface Step {
  readonly title: string;
  readonly args: readonly string[];
  /** The exit code that this step must have. */
  readonly exit: number;
  /** What its output must say. */
  readonly says: string;
}

function run(args: readonly string[], folder: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=@bulla/source', CLI, ...args], {
      cwd: folder,
      env: { ...process.env, BULLA_PASSPHRASE: 'a test secret of the demo', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (chunk: Buffer) => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 4, output }));
  });
}

async function perform(step: Step, folder: string): Promise<boolean> {
  console.log(`\n# ${step.title}\n$ bulla ${step.args.join(' ')}`);
  const { code, output } = await run(step.args, folder);
  process.stdout.write(output);
  const right = code === step.exit && output.includes(step.says);
  if (!right) {
    console.log(
      `!! expected exit ${step.exit} and ${JSON.stringify(step.says)}, found exit ${code}`,
    );
  }
  return right;
}

/** Puts the signature of one image under the companion tag of another, as an attacker would. */
async function stealSignature(target: ArtifactTarget, from: string, to: string): Promise<void> {
  const stolen = await target.manifest(companionTag(from, 'sig'));
  if (stolen === null) throw new Error('the signed image has no signature to steal');
  await target.putManifest(stolen, { tag: companionTag(to, 'sig') });
}

function stepsBefore(image: string): readonly Step[] {
  return [
    {
      title: 'Make a key pair',
      args: ['key', 'generate'],
      exit: 0,
      says: 'bulla.pub',
    },
    {
      title: 'Sign the image, as a Sigstore bundle and in the tag scheme that podman reads',
      args: ['sign', '--key', 'bulla.key', '--format', 'both', `${image}:signed`],
      exit: 0,
      says: 'cosign-legacy',
    },
  ];
}

function stepsAfter(image: string): readonly Step[] {
  const verify = ['verify', '--key', 'bulla.pub'];
  return [
    {
      title: 'Verify it: both signatures hold',
      args: [...verify, `${image}:signed`],
      exit: 0,
      says: 'VERIFIED',
    },
    {
      title: 'An image that nobody signed is refused',
      args: [...verify, `${image}:unsigned`],
      exit: 1,
      says: 'carries no signature',
    },
    {
      title: 'A tampered image, with the good image’s signature copied beside it, is refused',
      args: [...verify, `${image}:tampered`],
      exit: 1,
      says: 'not about sha256:',
    },
  ];
}

async function demonstrate(folder: string): Promise<boolean> {
  await using registry = await startRegistry({ storage: 'memory' }, {});
  const image = `${registry.host}/demo/hello`;
  console.log(`A registry of Bulla's own runs at ${registry.url}, in memory.`);
  const store = await openStore(parseReference(image), { env: {}, homeFolder: folder });
  const signed = await pushImage(store, 'signed', 'Hello, signed world.');
  await pushImage(store, 'unsigned', 'Hello, world.');
  const tampered = await pushImage(store, 'tampered', 'Hello, tampered world.');
  console.log(`Three small images are pushed to ${image}: signed, unsigned, tampered.`);
  let right = true;
  for (const step of stepsBefore(image)) right = (await perform(step, folder)) && right;
  await stealSignature(store, signed, tampered);
  for (const step of stepsAfter(image)) right = (await perform(step, folder)) && right;
  return right;
}

const folder = await mkdtemp(join(tmpdir(), 'bulla-demo-'));
try {
  const right = await demonstrate(folder);
  console.log(right ? '\nEvery step did what it says.' : '\nA step did not do what it says.');
  process.exitCode = right ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
