import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { BULLA, environmentOf } from './screen.ts';

/** What `bulla up` says when it is ready; the secrets only at its first start on a folder. */
export interface Up extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly pushToken: string;
  readonly signIn: string;
  readonly starter: {
    readonly policyFile: string;
    readonly keyFile: string;
    readonly publicKeyFile: string;
    readonly passphraseFile: string;
  };
  /** Ends the server, which drains and closes its folder. */
  readonly stop: () => Promise<void>;
}

/** Starts `bulla up --data bulla-data` in the folder, and resolves when it is ready. */
export async function up(folder: string, listen: string): Promise<Up> {
  const [program, ...before] = BULLA;
  const args = ['up', '--data', 'bulla-data', '--listen', listen, '-o', 'json'];
  const child = spawn(program, [...before, ...args], {
    cwd: folder,
    env: environmentOf(folder),
    stdio: ['ignore', 'pipe', 'inherit'],
    // An interrupt of the terminal is for the demonstration, which then ends the server itself.
    detached: true,
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`bulla up ended with ${code}`)));
  });
  const said = JSON.parse(line);
  return { ...said, origin: said.addresses[0], stop, [Symbol.asyncDispose]: stop };
}
