import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { requirePeer } from '../../../../test/peers.ts';
import { OPERATOR } from '../../src/access/actor.ts';
import { startRegistry } from './registry.ts';
import { addUser, PASSWORD, setUp } from './setting.ts';

const run = promisify(execFile);

describe('login', () => {
  for (const client of ['skopeo', 'podman', 'buildah'] as const) {
    it(`of ${client} takes a password and an API token, and refuses a wrong one`, async (context) => {
      const program = requirePeer(context, client);
      if (program === null) return;
      const folder = await mkdtemp(join(tmpdir(), 'bulla-login-'));
      try {
        await using setting = await setUp();
        const mia = await addUser(setting, 'mia', 'member');
        const { secret } = await setting.access.createToken(OPERATOR, {
          name: 'ci',
          user: mia.id,
          repositories: [{ repository: '**', actions: ['pull'] }],
        });
        await using server = await startRegistry(setting);
        const registry = `${server.host}:${server.port}`;
        const login = (name: string, password: string) =>
          run(program, ['login', '--tls-verify=false', '-u', name, '-p', password, registry], {
            env: { ...process.env, HOME: folder, REGISTRY_AUTH_FILE: join(folder, 'auth.json') },
            timeout: 60_000,
          });
        await login('mia', PASSWORD);
        await login('whoever', secret);
        await assert.rejects(login('mia', 'wrong'), /unauthorized|invalid username/i);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});
