import { TrustFault } from '@bulla/trust/fault/fault';
import type { CliContext } from '../context.ts';

/** Where a passphrase may come from, beside the terminal. */
export interface PassphraseFlags {
  readonly passphraseFile?: string;
}

/** Resolves to the passphrase of the key that `prompt` names. */
export type AskPassphrase = (prompt: string) => Promise<string>;

/**
 * A passphrase from `--passphrase-file`, `BULLA_PASSPHRASE`, `COSIGN_PASSWORD` or the terminal, in
 * this order; an empty variable is an empty passphrase. Without any: `key.passphrase-missing`.
 */
export function passphraseSource(flags: PassphraseFlags, context: CliContext): AskPassphrase {
  return async (prompt) => {
    if (flags.passphraseFile !== undefined) return firstLine(flags.passphraseFile, context);
    const given = context.env['BULLA_PASSPHRASE'] ?? context.env['COSIGN_PASSWORD'];
    if (given !== undefined) return given;
    if (context.terminal.in) {
      const { askHidden } = await import('../output/prompt.ts');
      return askHidden(prompt);
    }
    throw new TrustFault(
      'key.passphrase-missing',
      `${prompt}: no passphrase was given and there is no terminal to ask on`,
    );
  };
}

async function firstLine(path: string, { signal }: CliContext): Promise<string> {
  const { readFileBounded } = await import('./files.ts');
  const text = Buffer.from(await readFileBounded(path, 1 << 16, signal)).toString('utf8');
  return text.split(/\r?\n/, 1)[0] ?? '';
}
