// Whatever is put before it, the command answers with a code, a remedy and the right exit code.
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { after, before, test } from 'node:test';
import { type Registry, startRegistry } from '@bulla/server/registry';
import { pushSmallImage } from './artifact.ts';
import { makeKey, openStage, type Run, type Stage } from './stage.ts';

let registry: Registry;
let stage: Stage;
let pub: string;
let key: string;
let image: string;

before(async () => {
  registry = await startRegistry({ storage: 'memory' });
  stage = await openStage();
  ({ key, pub } = await makeKey(stage, 'release', { encrypted: true }));
  image = `${registry.host}/team/app:v1`;
  await pushSmallImage(`${registry.host}/team/app`, 'v1');
  await stage.succeeds(['sign', '--key', key, image]);
  await stage.write(
    'garbage',
    Buffer.from(Array.from({ length: 4096 }, (_, n) => (n * 131) % 256)),
  );
  await stage.write('empty', '');
  await stage.write('truncated.json', '{"mediaType":"application/vnd.dev.sigstore.bundle');
  await stage.write('deep.json', `${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  await stage.write('twice.json', '{"mediaType":"a","mediaType":"b"}');
  await stage.write('file', 'a file');
  await stage.write('absurd.key', absurdKey());
});

after(async () => {
  await registry.close();
  await stage[Symbol.asyncDispose]();
});

/** A key file whose scrypt parameters ask for more memory than any machine has. */
function absurdKey(): string {
  const params = { N: 2 ** 40, r: 2 ** 20, p: 2 ** 20 };
  const zeros = (length: number) => Buffer.alloc(length).toString('base64');
  const document = {
    kdf: { name: 'scrypt', params, salt: zeros(32) },
    cipher: { name: 'nacl/secretbox', nonce: zeros(24) },
    ciphertext: zeros(64),
  };
  const body = Buffer.from(JSON.stringify(document)).toString('base64');
  const label = 'ENCRYPTED SIGSTORE PRIVATE KEY';
  return `-----BEGIN ${label}-----\n${body.replaceAll(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;
}

/** A plain answer: a code of docs/errors.md or a finding, a remedy, and nothing of the inside. */
function assertPlain({ all }: Run): void {
  assert.doesNotMatch(all, /\n\s+at |node:internal|file:\/\/|TypeError|undefined/);
  assert.doesNotMatch(all, /internal\.defect/);
  assert.match(all, /remedy: /);
  assert.ok(all.length < 20_000);
}

const WRONG_USE: readonly { readonly name: string; readonly args: () => readonly string[] }[] = [
  ...['garbage', 'empty', 'truncated.json', 'missing', '.'].flatMap((name) => [
    { name: `verify --key ${name}`, args: () => ['verify', '--key', name, image] },
    { name: `sign --key ${name}`, args: () => ['sign', '--key', name, image] },
    {
      name: `verify --trusted-root ${name}`,
      args: () => ['verify', '--key', pub, '--trusted-root', name, image],
    },
  ]),
  { name: 'sign --key absurd.key', args: () => ['sign', '--key', 'absurd.key', image] },
  {
    name: 'verify --trusted-root deep.json',
    args: () => ['verify', '--key', pub, '--trusted-root', 'deep.json', image],
  },
  {
    name: 'verify --trusted-root twice.json',
    args: () => ['verify', '--key', pub, '--trusted-root', 'twice.json', image],
  },
  ...['', ':', 'UPPER/app', 'host/app:', 'host/app@sha256:12', '-', 'http://host/app', 'oci:'].map(
    (reference) => ({
      name: `verify ${JSON.stringify(reference)}`,
      args: () => ['verify', '--key', pub, '--', reference],
    }),
  ),
  { name: 'verify without a signer', args: () => ['verify', image] },
  {
    name: 'verify with half an identity',
    args: () => ['verify', '--certificate-identity', 'a@b.example', image],
  },
  {
    name: 'verify with a dangerous expression',
    args: () => [
      ...['verify', '--certificate-identity-regexp', '(a+)+$(?=x)', image],
      ...['--certificate-oidc-issuer', 'https://issuer.example'],
    ],
  },
  { name: 'verify --at noon', args: () => ['verify', '--key', pub, '--at', 'noon', image] },
  {
    name: 'verify --at-least 0',
    args: () => ['verify', '--key', pub, '--at-least', '0', image],
  },
  {
    name: 'verify --at-least 2 with one key',
    args: () => ['verify', '--key', pub, '--at-least', '2', image],
  },
  {
    name: 'verify --where without --attested',
    args: () => ['verify', '--key', pub, '--where', 'true', image],
  },
  {
    name: 'verify --where with half an expression',
    args: () => ['verify', '--key', pub, '--attested', 'vuln', '--where', 'predicate.', image],
  },
  { name: 'blob verify of nothing', args: () => ['blob', 'verify', '--key', pub, 'file'] },
];

for (const { name, args } of WRONG_USE) {
  test(`${name}: exit 2`, async () => {
    const run = await stage.bulla(args());
    assert.equal(run.code, 2, run.all);
    assertPlain(run);
  });
}

test('a passphrase that is wrong is wrong use, and says nothing of itself', async () => {
  const run = await stage.bulla(['sign', '--key', key, image], { BULLA_PASSPHRASE: 'not this' });
  assert.equal(run.code, 2, run.all);
  assertPlain(run);
  assert.doesNotMatch(run.all, /not this/);
});

for (const bundle of ['garbage', 'empty', 'truncated.json', 'deep.json', 'twice.json']) {
  test(`evidence that is ${bundle} is refused: exit 1`, async () => {
    const run = await stage.bulla(['blob', 'verify', '--key', pub, '--bundle', bundle, 'file']);
    assert.equal(run.code, 1, run.all);
    assertPlain(run);
  });
}

const REGISTRIES: readonly { readonly name: string; readonly answer: RequestListener }[] = [
  {
    name: 'answers HTML',
    answer: (_, response) => {
      response.setHeader('content-type', 'text/html').end('<html>Sign in to the network</html>');
    },
  },
  { name: 'answers 500', answer: (_, response) => void response.writeHead(500).end('oops') },
  { name: 'hangs up', answer: (request) => void request.socket.destroy() },
  { name: 'says nothing', answer: () => undefined },
  {
    name: 'redirects for ever',
    answer: ({ url }, response) => void response.writeHead(307, { location: url }).end(),
  },
];

for (const { name, answer } of REGISTRIES) {
  test(`a registry that ${name} makes no verdict: exit 3`, async () => {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      assert.ok(address !== null && typeof address === 'object');
      const there = `127.0.0.1:${address.port}/team/app:v1`;
      const run = await stage.bulla(['verify', '--key', pub, '--timeout', '1', there]);
      assert.equal(run.code, 3, run.all);
      assertPlain(run);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
}
