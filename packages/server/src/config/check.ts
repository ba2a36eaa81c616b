import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasErrors, type Problem } from '@bulla/trust/bytes/yaml/problem';
import { quote } from '@bulla/trust/fault/fault';
import type { ServerConfig } from './config.ts';
import { readConfigFile } from './load.ts';
import { parseConfig } from './parse.ts';
import type { Environment } from './secret.ts';

/** A file that a good configuration names and that cannot be read. */
export interface MissingFile {
  /** The member that names it: `listen[0].tls.key`. */
  readonly member: string;
  readonly path: string;
}

/** What `bulla config check` prints. */
export interface ConfigCheck {
  readonly schema: 'https://bulla.dev/schemas/config-check/v1';
  readonly file: string;
  /** Whether a server would start with it, as far as the file can tell. */
  readonly valid: boolean;
  readonly problems: readonly Problem[];
  readonly missing: readonly MissingFile[];
  /** With all defaults, secrets by their variables' names; null when there are errors. */
  readonly config: ServerConfig | null;
}

/** Checks a configuration and the files that it names. Throws `config.unreadable` for itself only. */
export async function configCheck(file: string, environment: Environment): Promise<ConfigCheck> {
  const { config, problems } = parseConfig(await readConfigFile(file), file, environment);
  const named = config === null ? [] : filesOf(config);
  const missing: MissingFile[] = [];
  for (const one of named) if (!(await isReadable(one.path))) missing.push(one);
  return {
    schema: 'https://bulla.dev/schemas/config-check/v1',
    file,
    valid: config !== null && !hasErrors(problems) && missing.length === 0,
    problems,
    missing,
    config,
  };
}

/** One line for a file that is missing. */
export function missingLine({ member, path }: MissingFile): string {
  return `config.unreadable: ${member} names ${quote(path)}, which cannot be read`;
}

function filesOf(config: ServerConfig): readonly MissingFile[] {
  const { listen, policies, trustRoots, gateway, registries, gatekeeper, admission } = config;
  const found: (MissingFile | null)[] = [
    ...policies.map((path, index) => ({ member: `policies[${index}]`, path })),
    ...Object.entries(trustRoots).map(([name, { file }]) => ({
      member: `trustRoots.${name}.file`,
      path: file,
    })),
    ...gateway.upstreams.map(({ ca }, index) =>
      ca === null ? null : { member: `gateway.upstreams[${index}].ca`, path: ca },
    ),
    ...registries.map(({ ca }, index) =>
      ca === null ? null : { member: `registries[${index}].ca`, path: ca },
    ),
    ...(gatekeeper === null
      ? []
      : (['certificate', 'key', 'clientCa'] as const).map((name) => ({
          member: `gatekeeper.${name}`,
          path: gatekeeper[name],
        }))),
    ...(admission === null
      ? []
      : (['certificate', 'key', 'clientCa'] as const).map((name) => {
          const path = admission[name];
          return path === null ? null : { member: `admission.${name}`, path };
        })),
    ...listen.flatMap(({ tls }, index) => {
      if (tls === null) return [];
      const { certificate, key, clientCa } = tls;
      const files = { certificate, key, ...(clientCa === null ? {} : { clientCa }) };
      return Object.entries(files).map(([name, path]) => ({
        member: `listen[${index}].tls.${name}`,
        path,
      }));
    }),
  ];
  // The server writes these itself before anything serves them.
  const own = config.kubernetes?.certificates?.folder ?? null;
  return found
    .filter((one) => one !== null)
    .filter(({ path }) => own === null || dirname(path) !== own);
}

async function isReadable(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
