import { spawn } from 'node:child_process';

/** Runs a program to its end with its output thrown away; rejects unless it exits with 0. */
export function runToEnd(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'ignore', env });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ${args[0]} exited with ${code}`)),
    );
  });
}
