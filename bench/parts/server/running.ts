import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../../packages/cli/bin/bulla.js', import.meta.url));
const START_MS = 30_000;
const STOP_MS = 20_000;

/** What `bulla serve` of a benchmark is configured for. */
export interface ServeConfig {
  readonly folder: string;
  readonly policyFile: string;
  /** `127.0.0.1:PORT` of the registry behind the prefix `hub`. */
  readonly upstream: string;
  /** How old an answer about a tag may be; undefined: the default, 5 s. */
  readonly tagFreshness?: string;
  /** Further sections of the configuration. */
  readonly more?: string;
  /** Programs before `node`, such as strace and its options. */
  readonly under?: readonly string[];
}

/** A built server that is running. */
export interface RunningBulla extends AsyncDisposable {
  /** `127.0.0.1:PORT`, plain HTTP. */
  readonly host: string;
  readonly pid: number;
  /** With which one may push, where the start was the first on its folder. */
  readonly pushToken: string | null;
}

/** Starts the built `bulla serve` on a free port, and resolves when it says that it is ready. */
export async function startServe(wanted: ServeConfig): Promise<RunningBulla> {
  const { folder, policyFile, upstream, tagFreshness, more = '', under = [] } = wanted;
  const file = join(folder, 'bulla.yaml');
  const freshness = tagFreshness === undefined ? '' : `  tagFreshness: ${tagFreshness}\n`;
  await writeFile(
    file,
    `data: data
listen: [{ url: "http://127.0.0.1:0" }]
policies: [${JSON.stringify(policyFile)}]
log: { level: warn }
${more}gateway:
${freshness}  upstreams:
    - { prefix: hub, registry: "${upstream}", plainHttp: true, privateAddresses: true }
`,
  );
  return startReady([...under, process.execPath, CLI, 'serve', '--config', file, '-o', 'json']);
}

/** Starts the built `bulla up` on a free port. */
export function startUp(data: string, policyFile: string): Promise<RunningBulla> {
  const listen = ['--listen', 'http://127.0.0.1:0'];
  const args = ['up', '--data', data, ...listen, '--policy', policyFile, '-o', 'json'];
  return startReady([process.execPath, CLI, ...args]);
}

async function startReady([program = '', ...args]: readonly string[]): Promise<RunningBulla> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    await stopped(child);
  };
  try {
    const { addresses, pushToken } = await readyLine(child);
    const [first] = addresses;
    if (first === undefined || child.pid === undefined) throw new Error('bulla has no address');
    const { host } = new URL(first);
    return { host, pid: child.pid, pushToken, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface ReadyLine {
  readonly addresses: readonly string[];
  readonly pushToken: string | null;
}

function readyLine(child: ChildProcess): Promise<ReadyLine> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('bulla was not ready in time')), START_MS);
    let said = '';
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`bulla ended with ${code}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (!said.includes('\n')) return;
      clearTimeout(timer);
      resolve(JSON.parse(said.slice(0, said.indexOf('\n'))));
    });
  });
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}

/** Resident memory of a process, now and at its highest, in MiB. */
export async function memoryOf(
  pid: number,
): Promise<{ readonly now: number; readonly peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { now: mebibytes('VmRSS'), peak: mebibytes('VmHWM') };
}
