import { printable, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { readFileBounded } from '../options/files.ts';
import { addRegistryOptions, type RegistryFlags, registryOptions } from '../options/registry.ts';

interface LoginFlags extends RegistryFlags {
  readonly username?: string;
  readonly password?: string;
  readonly passwordStdin?: true;
}

/** `bulla login REGISTRY`: checks credentials against the registry and stores them. */
export function configure(command: Command, context: CliContext): void {
  command
    .argument('<registry>', 'host, with port where it has one')
    .option('-u, --username <name>', 'user name')
    .option('-p, --password <password>', 'password; --password-stdin keeps it out of the history')
    .option('--password-stdin', 'read the password from standard input');
  addRegistryOptions(command).action(async (registry: string, flags: LoginFlags) => {
    const [{ pingRegistry }, { saveCredentials }, { parseRegistryHost }] = await Promise.all([
      import('@bulla/trust/oci/registry/registry-client'),
      import('@bulla/trust/oci/registry/credentials'),
      import('@bulla/trust/oci/reference'),
    ]);
    const host = parseRegistryHost(registry);
    const { username } = flags;
    if (username === undefined) {
      throw new TrustFault('usage.invalid', 'no user name was given', 'Give --username NAME.');
    }
    // RFC 7617 §2: what stands after the first colon would be part of the password.
    if (username === '' || username.includes(':')) {
      throw new TrustFault('usage.invalid', `${quote(username)} cannot be a user name`);
    }
    const password = await passwordOf(flags, context);
    if (password === '') throw new TrustFault('usage.invalid', 'the password is empty');
    const options = { ...registryOptions(flags, context), username, password };
    await pingRegistry(host, options, { signal: context.signal });
    const path = await saveCredentials(host, { kind: 'password', username, password }, options);
    context.out(`logged in to ${host}; credentials are in ${printable(path)}`);
  });
}

async function passwordOf(flags: LoginFlags, context: CliContext): Promise<string> {
  if (flags.password !== undefined) {
    context.err('warning: a password on the command line stays in the history of the shell');
    return flags.password;
  }
  if (flags.passwordStdin === true || !context.terminal.in) {
    const bytes = await readFileBounded('-', 1 << 16, context.signal);
    return Buffer.from(bytes)
      .toString('utf8')
      .replace(/\r?\n$/, '');
  }
  const { askHidden } = await import('../output/prompt.ts');
  return askHidden('password');
}
