import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { interrupted } from './interrupt.ts';

/** One line from the terminal that is not shown while it is typed. */
export async function askHidden(prompt: string): Promise<string> {
  process.stderr.write(`${prompt}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => reject(interrupted()));
      // The end of the input is no empty passphrase.
      lines.once('close', () => reject(interrupted()));
    });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}

/** Whether the user at the terminal says yes; anything but `y` and `yes` is no. */
export async function askYes(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      lines.once('SIGINT', () => reject(interrupted()));
      lines.once('close', () => resolve(''));
      lines.question(`${question} [y/N] `, resolve);
    });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
