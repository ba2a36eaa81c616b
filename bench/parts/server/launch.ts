// `node launch.ts CONFIG`: the built server alone, by a configuration file, until SIGTERM. It says
// that it is ready as `bulla up -o json` does.

import { loadConfig } from '@bulla/server/config/load';
import { createLog } from '@bulla/server/http/log';
import { startServer } from '@bulla/server/main';

const { config } = await loadConfig(process.argv[2] ?? '', process.env);
const log = createLog(config.log.level);
const options = { version: 'bench', log, consoleFolders: [], starterPolicy: null };
const server = await startServer(config, options);
console.log(JSON.stringify({ ready: true, addresses: server.addresses }));
process.once('SIGTERM', () => void server.close());
