import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PACKAGE = join(import.meta.dirname, '../..');

/** Starts and ends a server in a process that says which packages of OpenTelemetry it was asked for. */
const SCRIPT = `
  import { registerHooks } from 'node:module';
  const asked = new Set();
  registerHooks({
    resolve(specifier, context, next) {
      // prom-client asks for the API by itself, for exemplars.
      const isOther = context.parentURL?.includes('/prom-client/');
      if (specifier.startsWith('@opentelemetry/') && !isOther) asked.add(specifier);
      return next(specifier, context);
    },
  });
  const { startServer } = await import('@bulla/server/main');
  const { defaultConfig } = await import('@bulla/server/config/parse');
  const { createLog } = await import('@bulla/server/http/log');
  const [, folder, endpoint] = process.argv;
  const server = await startServer(
    {
      ...defaultConfig(folder),
      listen: [{ url: 'http://127.0.0.1:0', tls: null }],
      telemetry: endpoint === undefined ? null : { otlpEndpoint: endpoint },
    },
    { version: '0', log: createLog('silent'), consoleFolders: [], starterPolicy: null },
  );
  const { status } = await fetch(server.addresses[0] + '/healthz');
  await server.close();
  console.log(JSON.stringify({ status, asked: [...asked].sort() }));
  process.exit();
`;

for (const { name, more, asked } of [
  { name: 'nothing of it without a collector', more: [], asked: [] },
  {
    name: 'the SDK with one',
    // Nobody listens there, which ends nothing.
    more: ['http://127.0.0.1:1'],
    asked: ['@opentelemetry/api', '@opentelemetry/sdk-node'],
  },
]) {
  test(`a server loads of OpenTelemetry ${name}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'bulla-telemetry-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const args = ['--conditions=@bulla/source', '--input-type=module', '-e', SCRIPT, folder];
    const { stdout } = await run(process.execPath, [...args, ...more], {
      cwd: PACKAGE,
      timeout: 60_000,
    });
    const said = JSON.parse(stdout);
    assert.equal(said.status, 200);
    const own = asked.filter((specifier) => !said.asked.includes(specifier));
    assert.deepEqual(own, [], 'what is configured is loaded');
    if (asked.length === 0) assert.deepEqual(said.asked, []);
  });
}
