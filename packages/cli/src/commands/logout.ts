import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { registryOptions } from '../options/registry.ts';

/** `bulla logout REGISTRY`: removes the credentials that `login` stored. */
export function configure(command: Command, context: CliContext): void {
  command
    .argument('<registry>', 'host, with port where it has one')
    .action(async (text: string) => {
      const [{ removeCredentials }, { parseRegistryHost }] = await Promise.all([
        import('@bulla/trust/oci/registry/credentials'),
        import('@bulla/trust/oci/reference'),
      ]);
      const host = parseRegistryHost(text);
      const removed = await removeCredentials(host, registryOptions({}, context));
      context.out(removed ? `logged out of ${host}` : `no credentials for ${host} were stored`);
    });
}
