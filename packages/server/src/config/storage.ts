import { optional, readFields } from '@bulla/trust/bytes/yaml/fields';
import {
  addProblem,
  addUnexpected,
  integerOf,
  memberOf,
  oneOf,
  type Read,
  readText,
  type YamlCursor,
} from '@bulla/trust/bytes/yaml/read';
import { CONFIG_DEFAULTS, type ServerConfig, type TablesConfig } from './config.ts';
import type { Secret } from './secret.ts';

const UNKNOWN = 'config.unknown-member';
const POOL_SIZE = 10;

/** Where rows and objects live. */
export function storageOf(
  readPath: Read<string>,
  readSecret: Read<Secret>,
): Read<ServerConfig['storage']> {
  const { tables, objects } = CONFIG_DEFAULTS.storage;
  const readObjects: Read<ServerConfig['storage']['objects']> = (at) =>
    readFields(at, { folder: optional(readPath, null) }, UNKNOWN);
  return (at) => {
    const fields = readFields(
      at,
      {
        tables: optional(tablesOf(readSecret), tables),
        objects: optional(readObjects, objects),
      },
      UNKNOWN,
    );
    if (fields?.tables !== 'memory' || fields.objects.folder === null) return fields;
    const where = memberOf(at, 'objects');
    return addProblem(
      where,
      `found ${where.place.path}.folder beside tables in memory, where objects are too`,
    );
  };
}

function tablesOf(readSecret: Read<Secret>): Read<TablesConfig> {
  const readWord = oneOf(['embedded', 'memory']);
  const readMap: Read<TablesConfig> = (at) => {
    const fields = readFields(
      at,
      { postgres: { read: (inner) => readPostgres(inner, readSecret), absent: null } },
      UNKNOWN,
    );
    return fields;
  };
  return (at) => {
    if (at.node?.kind === 'map') return readMap(at);
    if (at.node?.kind === 'scalar' && at.node.value === 'postgres') {
      return addUnexpected(at, 'a map, { postgres: { urlEnv: BULLA_POSTGRES_URL } },');
    }
    if (at.node?.kind === 'scalar' && typeof at.node.value === 'string') return readWord(at);
    return addUnexpected(at, 'embedded, memory, or a map with postgres');
  };
}

function readPostgres(
  at: YamlCursor,
  readSecret: Read<Secret>,
): { readonly url: Secret; readonly poolSize: number } | undefined {
  const fields = readFields(
    at,
    {
      url: optional(readOpenUrl, null),
      urlEnv: optional(readSecret, null),
      poolSize: optional(integerOf(1, 1000), POOL_SIZE),
    },
    UNKNOWN,
  );
  if (fields === undefined) return undefined;
  const { url, urlEnv, poolSize } = fields;
  const only = urlEnv ?? url;
  if (only === null || (url !== null && urlEnv !== null)) {
    return addProblem(at, `expected either url or urlEnv at ${at.place.path}`);
  }
  const named = memberOf(at, 'urlEnv');
  if (!isPostgres(only.reveal())) {
    return addProblem(named, `expected ${only.variable} to hold a URL postgres://…`);
  }
  return { url: only, poolSize };
}

/** A URL that stands in the file, where everybody who reads the file reads it. */
const readOpenUrl: Read<Secret> = (at) => {
  const text = readText(at);
  if (text === undefined) return undefined;
  if (!isPostgres(text)) return addProblem(at, `expected a URL postgres://… at ${at.place.path}`);
  const { password, searchParams } = new URL(text);
  if (password !== '' || searchParams.has('password')) {
    const message = `found a password at ${at.place.path}: the file is no place for secrets`;
    return addProblem(at, message, {
      remedy: 'Put the URL into an environment variable and name it with urlEnv.',
    });
  }
  return { variable: at.place.path, reveal: () => text, toJSON: () => text };
};

function isPostgres(text: string): boolean {
  return URL.canParse(text) && /^postgres(?:ql)?:$/.test(new URL(text).protocol);
}
