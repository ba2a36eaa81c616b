/**
 * `npm run demo`: starts the server, signs an image, pulls it through the gateway, and is refused what is not
 * signed. With `--stay` it goes on serving, with the console.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { companionTag } from '@bulla/trust/formats/cosign-legacy/layer';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import type { ArtifactTarget } from '@bulla/trust/oci/store';
import { buildConsole } from '../tools/build/console.ts';
import { pushImage } from './image.ts';
import { findPuller } from './puller.ts';
import { openScreen, type Screen } from './screen.ts';
import { type Up, up } from './server.ts';

const ROOT = join(import.meta.dirname, '..');

/** Puts the signature of one image under the companion tag of another, as an attacker would. */
async function stealSignature(target: ArtifactTarget, from: string, to: string): Promise<void> {
  const stolen = await target.manifest(companionTag(from, 'sig'));
  if (stolen === null) throw new Error('the signed image has no signature to steal');
  await target.putManifest(stolen, { tag: companionTag(to, 'sig') });
}

/** Three images are pushed; one is signed, and its signature copied beside another. */
async function publish(screen: Screen, server: Up, image: string): Promise<void> {
  const { perform, tell, folder } = screen;
  const { keyFile, passphraseFile } = server.starter;
  const repository = await openStore(parseReference(image), {
    env: {},
    homeFolder: folder,
    username: 'token',
    password: server.pushToken,
  });
  const signed = await pushImage(repository, 'signed', 'Hello, signed world.');
  await pushImage(repository, 'unsigned', 'Hello, world.');
  const tampered = await pushImage(repository, 'tampered', 'Hello, tampered world.');
  tell(`Three small images are pushed to ${image}: signed, unsigned, tampered`);
  await writeFile(join(folder, 'push-token'), server.pushToken, { mode: 0o600 });
  await perform({
    title: 'Log in with the push token that the first start printed',
    program: 'bulla',
    args: ['login', new URL(server.origin).host, '-u', 'token', '--password-stdin'],
    input: 'push-token',
    succeeds: true,
    says: '',
  });
  await perform({
    title: 'Sign one of them, as a Sigstore bundle and in the tag scheme that podman reads',
    program: 'bulla',
    args: [
      ...['sign', '--key', keyFile, '--passphrase-file', passphraseFile],
      ...['--format', 'both', `${image}:signed`],
    ],
    succeeds: true,
    says: 'cosign-legacy',
  });
  await stealSignature(repository, signed, tampered);
  tell('An attacker copies that signature beside the tampered image');
}

/** From audit, which records, to enforce, which refuses; the server reads the file again by itself. */
async function enforce(screen: Screen, server: Up, image: string): Promise<void> {
  const { policyFile } = server.starter;
  screen.tell(
    'The policy that the first start wrote only audits: let it enforce',
    `$ sed -i 's/mode: audit/mode: enforce/' ${policyFile.replace(`${screen.folder}/`, '')}`,
  );
  const text = await readFile(policyFile, 'utf8');
  await writeFile(policyFile, text.replace('mode: audit', 'mode: enforce'));
  const path = image.replace(/^[^/]+/, '');
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`${server.origin}/v2${path}/manifests/unsigned`);
    await answer.arrayBuffer();
    if (!answer.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the policy was not read again');
}

/** What is signed is pulled, and nothing else; gives the id of the decision about the unsigned image. */
async function pullAll({ perform, folder }: Screen, image: string): Promise<string> {
  const { program, args } = findPuller(folder);
  const short = (line: string) => !/^(?:Getting|Copying|Storing|Writing)/.test(line);
  await perform({
    title: `Pull through the gateway, with ${program}: what is signed is served`,
    ...{ program, args: args(`${image}:signed`), succeeds: true, says: '' },
  });
  const refused = await perform({
    title: 'What nobody signed is refused, with the policy, the clause, and the decision',
    ...{ program, args: args(`${image}:unsigned`), succeeds: false },
    ...{ says: 'refused by policy starter: signed', shows: short },
  });
  await perform({
    title: 'The tampered image is refused as well: its signature is about another one',
    ...{ program, args: args(`${image}:tampered`), succeeds: false },
    ...{ says: 'refused by policy starter', shows: short },
  });
  return /\(decision ([0-9A-Z]{26})\)/.exec(refused)?.[1] ?? '';
}

async function demonstrate(screen: Screen): Promise<{ origin: string; signIn: string }> {
  const { tell, perform, folder } = screen;
  tell(
    'Start everything: one process, one port, one folder',
    '$ bulla up --data bulla-data --listen http://127.0.0.1:0',
  );
  await using server = await up(folder, 'http://127.0.0.1:0');
  const { origin, signIn, starter } = server;
  console.log(`ready ${origin}`);
  const image = `${new URL(origin).host}/demo/hello`;
  await publish(screen, server, image);
  await perform({
    title: 'Verify what was signed: both signatures hold',
    program: 'bulla',
    args: ['verify', '--key', starter.publicKeyFile, `${image}:signed`],
    succeeds: true,
    says: 'VERIFIED',
  });
  await enforce(screen, server, image);
  const decision = await pullAll(screen, image);
  await server.stop();
  await perform({
    title: 'Why was it refused? The record says so, also when the server is stopped',
    program: 'bulla',
    args: ['decisions', 'explain', decision, '--data', 'bulla-data'],
    succeeds: true,
    says: 'carries no signature',
  });
  return { origin, signIn };
}

/** Serves on until it is interrupted. */
async function stay(screen: Screen, origin: string, signIn: string): Promise<void> {
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await using _server = await up(screen.folder, origin);
  screen.tell(
    'It goes on serving. The console shows the same: repositories, decisions, the policy',
    `sign in, once:   ${signIn}`,
    `the data folder: ${join(screen.folder, 'bulla-data')} (removed at the end)`,
    'Ctrl-C ends it.',
  );
  await interrupted;
}

const { values } = parseArgs({ options: { stay: { type: 'boolean', default: false } } });
if (values.stay) buildConsole(ROOT);
const folder = await mkdtemp(join(tmpdir(), 'bulla-demo-'));
try {
  const screen = openScreen(folder);
  const { origin, signIn } = await demonstrate(screen);
  const right = screen.isRight();
  console.log(right ? '\nEvery step did what it says.' : '\nA step did not do what it says.');
  process.exitCode = right ? 0 : 1;
  if (values.stay) await stay(screen, origin, signIn);
} finally {
  await rm(folder, { recursive: true, force: true });
}
