import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { parseRegistryHost } from '@bulla/trust/oci/reference';
import type { RegistryOptions } from '@bulla/trust/oci/registry/options';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';

/** The registry options as commander gives them. */
export interface RegistryFlags {
  readonly plainHttp?: true;
  readonly allowHttpRegistry?: true;
  readonly registryUsername?: string;
  readonly registryPassword?: string;
  readonly registryToken?: string;
  readonly registryCacert?: string;
  readonly registryClientCert?: string;
  readonly registryClientKey?: string;
  readonly registryHost?: readonly string[];
  readonly timeout?: number;
}

/** Declares how registries are reached; names are cosign's where the meaning is the same. */
export function addRegistryOptions(command: Command): Command {
  return command
    .option(
      '--plain-http',
      'speak HTTP without TLS to every registry (loopback does, unless certificates are given)',
    )
    .option('--allow-http-registry', 'the same, by the name that cosign has')
    .option('--registry-username <name>', 'user name for the registry')
    .option('--registry-password <password>', 'password for the registry')
    .option('--registry-token <token>', 'bearer token for the registry')
    .option('--registry-cacert <file>', 'PEM file of further certificate authorities')
    .option('--registry-client-cert <file>', 'PEM file of the client certificate')
    .option('--registry-client-key <file>', 'PEM file of its key')
    .option(
      '--registry-host <host>',
      'further host of the registry: its token service, or storage at a private address (repeatable)',
      hostName,
    )
    .option('--timeout <seconds>', 'longest silence of a registry (default: 30)', positiveSeconds);
}

function positiveSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 86_400)) {
    throw new TrustFault(
      'usage.invalid',
      `expected a number of seconds above 0 and at most 86400 at --timeout, found ${quote(text)}`,
    );
  }
  return seconds;
}

function hostName(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, parseRegistryHost(text)];
}

/** What is half given would be ignored, and then the registry asked without it. */
function checkPairs(flags: RegistryFlags): void {
  const { registryUsername, registryPassword, registryToken } = flags;
  if ((registryUsername === undefined) !== (registryPassword === undefined)) {
    throw new TrustFault(
      'usage.invalid',
      '--registry-username and --registry-password are given together',
    );
  }
  if (registryToken !== undefined && registryUsername !== undefined) {
    throw new TrustFault('usage.invalid', 'give --registry-token or a user name, not both');
  }
  if ((flags.registryClientCert === undefined) !== (flags.registryClientKey === undefined)) {
    throw new TrustFault(
      'usage.invalid',
      '--registry-client-cert and --registry-client-key are given together',
    );
  }
}

/** The options of the registry client that the flags and the environment ask for. */
export function registryOptions(flags: RegistryFlags, context: CliContext): RegistryOptions {
  checkPairs(flags);
  const plain = flags.plainHttp === true || flags.allowHttpRegistry === true;
  return {
    env: context.env,
    homeFolder: context.homeFolder,
    ...(plain ? { plainHttp: true } : {}),
    ...(flags.registryUsername === undefined ? {} : { username: flags.registryUsername }),
    ...(flags.registryPassword === undefined ? {} : { password: flags.registryPassword }),
    ...(flags.registryToken === undefined ? {} : { token: flags.registryToken }),
    ...(flags.registryCacert === undefined ? {} : { caFile: flags.registryCacert }),
    ...(flags.registryClientCert === undefined ? {} : { certFile: flags.registryClientCert }),
    ...(flags.registryClientKey === undefined ? {} : { keyFile: flags.registryClientKey }),
    ...(flags.registryHost === undefined ? {} : { ownHosts: flags.registryHost }),
    ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout * 1000 }),
    userAgent: 'bulla',
  };
}
