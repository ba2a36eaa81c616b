import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultConfig } from '@bulla/server/config/parse';
import { createLog } from '@bulla/server/http/log';
import { startServer } from '@bulla/server/main';
import manifest from '../../package.json' with { type: 'json' };

/** `docs/openapi.json`: the document of the product API, as a server with every service gives it. */
export async function renderOpenApi(): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'bulla-openapi-'));
  try {
    const defaults = defaultConfig(data);
    const config = {
      ...defaults,
      data,
      listen: [{ url: 'http://127.0.0.1:0', tls: null }],
      storage: { ...defaults.storage, tables: 'memory' as const },
    };
    await using server = await startServer(config, {
      version: manifest.version,
      log: createLog('silent'),
      consoleFolders: [],
      starterPolicy: null,
    });
    const answer = await fetch(`${server.addresses[0]}/api/bulla/v1/openapi.json`);
    const document: unknown = await answer.json();
    return `${JSON.stringify(document, null, 2)}\n`;
  } finally {
    await rm(data, { recursive: true });
  }
}
