import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { MEDIA_TYPES } from '@bulla/trust/oci/manifest';
import type { RegistryOptions } from '@bulla/trust/oci/registry/options';
import { openRegistryStore } from '@bulla/trust/oci/registry/registry-store';
import { peer, requirePeer } from '../../../../../test/peers.ts';
import { image } from '../sample.ts';
import { listen, options, scripted } from './scripted.ts';

const { manifest } = image('layer');
const TYPE = { 'content-type': MEDIA_TYPES.ociManifest };
let folder: string;
const file = (name: string): string => join(folder, name);

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore', timeout: 20_000 });
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bulla-tls-'));
  if (peer('openssl') === null) return;
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  for (const ca of ['ca', 'other']) {
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      `${ca}.key`,
      '-out',
      `${ca}.pem`,
      '-subj',
      `/CN=${ca}`,
    );
  }
  await writeFile(file('san'), 'subjectAltName=IP:127.0.0.1\n');
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      'san',
      '-out',
      `${name}.pem`,
    );
  }
});
after(() => rm(folder, { recursive: true, force: true }));

async function secure(
  run: (host: string, server: Server) => Promise<void>,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  isMutual = false,
): Promise<void> {
  const [key, cert, ca] = await Promise.all(
    ['server.key', 'server.pem', 'ca.pem'].map((name) => readFile(file(name))),
  );
  assert.ok(key && cert && ca);
  const server = createServer(
    { key, cert, ca, requestCert: isMutual, rejectUnauthorized: isMutual },
    handler,
  );
  const port = await listen(server);
  try {
    await run(`127.0.0.1:${port}`, server);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const good = (_: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(200, TYPE);
  response.end(manifest.bytes);
};

const fetchFrom = (registry: string, given: Partial<RegistryOptions>) =>
  openRegistryStore(
    { kind: 'registry', registry, repository: 'app' },
    options({ plainHttp: false, ...given }),
  ).manifest('v1');

describe('TLS', () => {
  const cases: readonly { readonly name: string; readonly run: () => Promise<void> }[] = [
    {
      name: 'a CA file makes a registry trusted, and its absence does not',
      run: () =>
        secure(async (host) => {
          assert.equal(
            (await fetchFrom(host, { caFile: file('ca.pem') }))?.digest,
            manifest.digest,
          );
          await assert.rejects(fetchFrom(host, {}), { code: 'registry.tls' });
          await assert.rejects(fetchFrom(host, { caFile: file('other.pem') }), {
            code: 'registry.tls',
          });
        }, good),
    },
    {
      name: 'who names an authority or a client certificate means TLS, on loopback as well',
      run: () =>
        secure(
          async (host) => {
            const ca = { caFile: file('ca.pem') };
            const client = { certFile: file('client.pem'), keyFile: file('client.key') };
            const unsaid = (given: Partial<RegistryOptions>) => {
              const { plainHttp: _, ...rest } = options(given);
              const at = { kind: 'registry', registry: host, repository: 'app' } as const;
              return openRegistryStore(at, rest).manifest('v1');
            };
            assert.ok(await unsaid({ ...ca, ...client }));
            await assert.rejects(unsaid(client), { code: 'registry.tls' });
            await assert.rejects(unsaid({}), { code: 'registry.unreachable' });
          },
          good,
          true,
        ),
    },
    {
      name: 'a name that is not in the certificate is refused',
      run: () =>
        secure(async (host) => {
          const named = host.replace('127.0.0.1', 'localhost');
          await assert.rejects(fetchFrom(named, { caFile: file('ca.pem') }), {
            code: 'registry.tls',
          });
        }, good),
    },
    {
      name: 'a client certificate is shown when the registry wants one',
      run: () =>
        secure(
          async (host) => {
            const ca = { caFile: file('ca.pem') };
            const client = { certFile: file('client.pem'), keyFile: file('client.key') };
            assert.ok(await fetchFrom(host, { ...ca, ...client }));
            await assert.rejects(fetchFrom(host, ca), (error) => {
              assert.ok(error instanceof Error && 'code' in error);
              return error.code === 'registry.tls' || error.code === 'registry.unreachable';
            });
          },
          good,
          true,
        ),
    },
    {
      name: 'a redirect from HTTPS to HTTP is refused',
      run: async () => {
        await using plain = await scripted((_, response) => void response.end());
        await secure(
          async (host) => {
            await assert.rejects(fetchFrom(host, { caFile: file('ca.pem') }), {
              code: 'registry.redirect',
            });
            assert.equal(plain.seen.length, 0);
          },
          (_, response) => {
            response.writeHead(307, { location: `${plain.origin}/x` });
            response.end();
          },
        );
      },
    },
    {
      name: 'a token service without TLS is not asked by a registry with it',
      run: async () => {
        await using plain = await scripted((_, response) => void response.end('{"token":"t"}'));
        await secure(
          async (host) => {
            const given = { caFile: file('ca.pem'), username: 'u', password: 'p' };
            await assert.rejects(fetchFrom(host, given), { code: 'registry.malformed-answer' });
            assert.equal(plain.seen.length, 0);
          },
          (_, response) => {
            response.writeHead(401, { 'www-authenticate': `Bearer realm="${plain.origin}/token"` });
            response.end();
          },
        );
      },
    },
    {
      name: 'a token host that is configured gets the credentials over TLS',
      run: async () => {
        const seen: (string | undefined)[] = [];
        await secure(
          async (host) => {
            const [, port] = host.split(':');
            const given = {
              caFile: file('ca.pem'),
              username: 'u',
              password: 'p',
              plainHttp: true,
              tokenHosts: { [`localhost:${port}`]: ['127.0.0.1'] },
            };
            await using registry = await scripted((request, response) => {
              if (request.headers.authorization === 'Bearer t')
                return good(request as never, response);
              response.writeHead(401, {
                'www-authenticate': `Bearer realm="https://${host}/token"`,
              });
              return void response.end();
            });
            const name = registry.host.replace('127.0.0.1', 'localhost');
            const hosts = { [name]: ['127.0.0.1'] };
            assert.ok(await fetchFrom(name, { ...given, tokenHosts: hosts }));
            assert.ok(await fetchFrom(name, { ...given, tokenHosts: {} }));
            assert.deepEqual(seen, [`Basic ${Buffer.from('u:p').toString('base64')}`, undefined]);
          },
          (request, response) => {
            seen.push(request.headers.authorization);
            response.end('{"token":"t"}');
          },
        );
      },
    },
    {
      name: 'files that are not there, or half given, are wrong use',
      run: async () => {
        const missing = file('missing.pem');
        await assert.rejects(fetchFrom('127.0.0.1:9', { caFile: missing }), { code: 'usage.file' });
        await assert.rejects(fetchFrom('127.0.0.1:9', { certFile: missing }), {
          code: 'usage.invalid',
        });
      },
    },
  ];
  for (const { name, run } of cases) {
    it(name, async (t) => {
      if (requirePeer(t, 'openssl') !== null) await run();
    });
  }
});
