import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireOwnFolder } from '@bulla/server/node-agent/folder';
import { printable, quote, systemReason, TrustFault } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { spanOption } from '../../options/span.ts';
import { SOCKET } from './serve.ts';

interface InstallFlags {
  readonly socket: string;
  readonly node?: string;
  readonly timeout: number;
  readonly owner?: number;
}

const FILE = 'bulla-containerd-verifier';
const BUILT = 'containerd-verifier.js';
/** What kernels read of a first line, at the least. */
const SHEBANG_LONGEST = 127;
/** Below containerd's default of 10 s: whoever is late then says so itself. */
const TIMEOUT_MS = 8000;

/** `bulla node install-verifier DIR`: writes what containerd runs for each image. */
export function configureInstallVerifier(command: Command, context: CliContext): void {
  command
    .command('install-verifier')
    .description('write the verifier into containerd’s bin_dir, and say how to configure it')
    .argument('<folder>', 'bin_dir of containerd’s image verifier; made where it is missing')
    .option('--socket <path>', 'where the daemon listens', SOCKET)
    .option('--node <file>', 'the Node that runs it (default: this one)')
    .addOption(
      command
        .createOption('--timeout <time>', 'when it blocks; below per_verifier_timeout')
        .argParser(spanOption('--timeout', { minMs: 100, maxMs: 60_000 }))
        .default(TIMEOUT_MS, '8s'),
    )
    .option('--owner <uid>', 'user of the daemon, where it is not root or containerd’s', userId)
    .action(async (folder: string, flags: InstallFlags) => {
      const target = await install(resolve(folder), flags);
      context.out(target);
      await explain(resolve(folder), context);
    });
}

function userId(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new TrustFault(
    'usage.invalid',
    `expected a number of a user at --owner, found ${quote(text)}`,
  );
}

async function install(folder: string, flags: InstallFlags): Promise<string> {
  const { socket, timeout, owner = process.getuid?.() ?? 0 } = flags;
  const node = await interpreterOf(flags.node);
  const code = await builtVerifier();
  const settings = JSON.stringify({ socket: resolve(socket), timeoutMs: timeout, owner });
  const text = `#!${node}\nglobalThis.bullaVerifier=${settings};\n${code}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw fileFault('make', folder, cause);
  }
  await requireOwnFolder(folder, 'own-or-root');
  const target = join(folder, FILE);
  // Not beside its target: containerd runs every file of that folder, this half one too.
  const temporary = join(dirname(folder), `.${FILE}.${randomBytes(6).toString('hex')}`);
  try {
    await writeExecutable(temporary, text);
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw fileFault('write', target, cause);
  }
  return target;
}

async function writeExecutable(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o755);
  try {
    await file.writeFile(text);
    await file.chmod(0o755);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The absolute path of a Node that a first line can name. Throws `usage.invalid`, `usage.file`. */
async function interpreterOf(given: string | undefined): Promise<string> {
  // A link stays one: it may lead to another Node after an upgrade.
  const path = resolve(given ?? process.execPath);
  try {
    await access(path, constants.X_OK);
  } catch (cause) {
    throw fileFault('run', path, cause);
  }
  if (/^[\x21-\x7e]+$/.test(path) && path.length + 2 <= SHEBANG_LONGEST) return path;
  throw new TrustFault(
    'usage.invalid',
    `expected a Node whose path is short and has no spaces, found ${quote(path)}`,
    'Name a link to it in a folder of a short name with --node; containerd starts it by that path.',
  );
}

/** The verifier as the build leaves it: beside the program, or where the sources have it built. */
async function builtVerifier(): Promise<string> {
  const here = fileURLToPath(new URL('.', import.meta.url));
  for (const folder of [here, join(here, '../../../dist')]) {
    try {
      return await readFile(join(folder, BUILT), 'utf8');
    } catch (cause) {
      if (systemReason(cause) !== 'ENOENT') throw fileFault('read', join(folder, BUILT), cause);
    }
  }
  throw new TrustFault(
    'usage.file',
    `the build has no ${BUILT}`,
    'Run `npm run build` in the clone, or install the package anew.',
  );
}

async function explain(folder: string, context: CliContext): Promise<void> {
  const others = (await readdir(folder)).filter((name) => name !== FILE);
  for (const name of others) {
    context.err(
      `note: containerd runs ${printable(name)} as well, and an image needs both to pass`,
    );
  }
  const lines = [
    'containerd asks it with this in its config.toml, after a restart:',
    '',
    "[plugins.'io.containerd.image-verifier.v1.bindir']",
    `  bin_dir = ${JSON.stringify(folder)}`,
    '  max_verifiers = -1',
    '  per_verifier_timeout = "10s"',
  ];
  for (const line of lines) context.err(line);
}

function fileFault(what: string, path: string, cause: unknown): TrustFault {
  const says = `cannot ${what} ${quote(path)}: ${systemReason(cause)}`;
  return new TrustFault('usage.file', says, undefined, { cause });
}
