import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, type Run, type Stage } from './stage.ts';

const LAUNCHER = join(ROOT, 'packages/cli/bin/bulla.js');
const START_MS = 20_000;
const STOP_MS = 10_000;

/** A program that runs beside a journey. */
export interface Beside extends AsyncDisposable {
  readonly said: () => string;
  /** Ends it by a signal; SIGTERM is given ten seconds. */
  readonly end: (signal?: NodeJS.Signals) => Promise<void>;
}

/** The daemon of a node, ready. */
export async function startNode(stage: Stage, args: readonly string[]): Promise<Beside> {
  const daemon = beside(process.execPath, [LAUNCHER, 'node', 'serve', ...args, '-o', 'json'], {
    PATH: process.env['PATH'] ?? '',
    HOME: stage.folder,
  });
  await until(daemon, async () => /"ready":true/.test(daemon.said()));
  return daemon;
}

/** containerd with its image verifier, and a pull through its transfer service. */
export interface Containerd extends Beside {
  readonly pull: (image: string) => Promise<Run>;
}

/**
 * Starts containerd on folders of its own with `binDir` as the image verifier's. It pulls into its
 * store and unpacks with copies, for which it mounts nothing; null where this machine does not let it.
 */
export async function startContainerd(
  stage: Stage,
  programs: { readonly containerd: string; readonly ctr: string },
  binDir: string,
): Promise<Containerd> {
  // A socket's path is short.
  const place = await mkdtemp(join(tmpdir(), 'bulla-ctd-'));
  const address = join(place, 'c.sock');
  const config = join(place, 'config.toml');
  await writeFile(config, configuration(place, address, binDir));
  const daemon = beside(programs.containerd, ['--config', config], {
    PATH: process.env['PATH'] ?? '',
  });
  const ctr = (args: readonly string[]) => stage.run(programs.ctr, ['--address', address, ...args]);
  try {
    await until(daemon, async () => (await ctr(['version'])).code === 0);
  } catch (error) {
    await daemon.end('SIGKILL');
    throw error;
  }
  const end = async (signal?: NodeJS.Signals) => {
    await daemon.end(signal);
    await rm(place, { recursive: true, force: true });
  };
  return {
    said: daemon.said,
    end,
    pull: (image) => ctr(['images', 'pull', '--plain-http', '--snapshotter', 'native', image]),
    [Symbol.asyncDispose]: () => end(),
  };
}

function configuration(place: string, address: string, binDir: string): string {
  const path = (name: string) => JSON.stringify(join(place, name));
  return `version = 3
root = ${path('root')}
state = ${path('state')}
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.nri.v1.nri"]

[grpc]
  address = ${JSON.stringify(address)}

[ttrpc]
  address = ${path('t.sock')}

[plugins.'io.containerd.image-verifier.v1.bindir']
  bin_dir = ${JSON.stringify(binDir)}
  max_verifiers = -1
  per_verifier_timeout = "10s"

[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
  platform = "linux"
  snapshotter = "native"
`;
}

function beside(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Beside {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  // A test process that dies early must not leave it behind.
  const last = (): void => void child.kill('SIGKILL');
  process.once('exit', last);
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    process.off('exit', last);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exit;
    clearTimeout(timer);
  };
  return { said: () => said, end, [Symbol.asyncDispose]: () => end() };
}

async function until(daemon: Beside, isReady: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + START_MS;
  while (!(await isReady())) {
    assert.ok(Date.now() < end, `it was not ready in time\n${daemon.said()}`);
    await sleep(50);
  }
}
