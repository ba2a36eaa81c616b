import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startTestApiServer } from './api-server.ts';

const run = promisify(execFile);
const PACKAGE = join(import.meta.dirname, '../..');

/** Starts and ends a server in a process that says whether it asked for the client of Kubernetes. */
const SCRIPT = `
  import { registerHooks } from 'node:module';
  const asked = new Set();
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier.startsWith('@kubernetes/')) asked.add(specifier.split('/')[1]);
      return next(specifier, context);
    },
  });
  const { startServer } = await import('@bulla/server/main');
  const { defaultConfig } = await import('@bulla/server/config/parse');
  const { createLog } = await import('@bulla/server/http/log');
  const [, folder, kubeconfig] = process.argv;
  const config = defaultConfig(folder);
  const kubernetes = {
    kubeconfig,
    context: null,
    namespace: null,
    policies: true,
    clusterImagePolicies: false,
    notReadyAfterMs: 300_000,
    certificates: null,
  };
  const server = await startServer(
    {
      ...config,
      listen: [{ url: 'http://127.0.0.1:0', tls: null }],
      kubernetes: kubeconfig === undefined ? null : kubernetes,
    },
    { version: '0', log: createLog('silent'), consoleFolders: [], starterPolicy: null },
  );
  const { status } = await fetch(server.addresses[0] + '/healthz');
  console.log(JSON.stringify({ status, asked: [...asked] }));
  await server.close();
  process.exit();
`;

for (const { name, isConfigured, asked } of [
  { name: 'nothing without a cluster', isConfigured: false, asked: [] },
  { name: 'the client with one', isConfigured: true, asked: ['client-node'] },
]) {
  test(`a server loads of Kubernetes ${name}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'bulla-kubernetes-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await using cluster = await startTestApiServer();
    const args = ['--conditions=@bulla/source', '--input-type=module', '-e', SCRIPT, folder];
    const more = isConfigured ? [cluster.kubeconfig] : [];
    const { stdout } = await run(process.execPath, [...args, ...more], {
      cwd: PACKAGE,
      timeout: 60_000,
    });
    assert.deepEqual(JSON.parse(stdout), { status: 200, asked });
  });
}
