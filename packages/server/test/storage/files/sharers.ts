import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Answer, Call } from './sharing-process.ts';

const PROGRAM = join(import.meta.dirname, 'sharing-process.ts');

/** A process that shares a folder. Disposing it lets it end by itself. */
export interface Sharer extends AsyncDisposable {
  /** What the call answered; rejects with `code` when it was a fault, or with the process's end. */
  call(name: Call['name'], ...args: readonly string[]): Promise<unknown>;
  /** Lines that are no answers. */
  readonly said: readonly string[];
  /** Kills it, and resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts a process on the folder, and resolves when it has it open; rejects with the `code` by which it is not. */
export async function startSharer(folder: string): Promise<Sharer> {
  const child = spawn(process.execPath, ['--conditions=@bulla/source', PROGRAM, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const said: string[] = [];
  const ready = Promise.withResolvers<void>();
  const reading = createInterface({ input: child.stdout });
  reading.on('line', (line) => {
    if (line === 'ready') return ready.resolve();
    const [, code] = /^refused (.*)$/.exec(line) ?? [];
    if (code !== undefined) return ready.reject(Object.assign(new Error(code), { code }));
    if (!line.startsWith('{')) return void said.push(line);
    const { id, value, fault } = JSON.parse(line) as Answer;
    const asked = waiting.get(id);
    waiting.delete(id);
    if (fault === undefined) asked?.resolve(value);
    else asked?.reject(Object.assign(new Error(fault), { code: fault }));
  });
  const closed = once(reading, 'close').then(() => {
    const gone = new Error('the process ended');
    ready.reject(gone);
    for (const asked of waiting.values()) asked.reject(gone);
  });
  let calls = 0;
  // Without its end nobody answers: the error is that of the call.
  child.stdin.on('error', () => undefined);
  try {
    await ready.promise;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    said,
    call(name, ...args) {
      const asked = Promise.withResolvers<unknown>();
      const call: Call = { id: calls++, name, args };
      waiting.set(call.id, asked);
      child.stdin.write(`${JSON.stringify(call)}\n`);
      return asked.promise;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
      await closed;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(timer);
    },
  };
}
