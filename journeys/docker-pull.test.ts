// What docker and containerd ask when they pull, played against the gateway, and what they then show.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { after, before, test } from 'node:test';
import { pushMultiArch } from './artifact.ts';
import { RECORDED_PULLS, type RecordedPull } from './recorded-pulls.ts';
import {
  pullToken,
  type RunningServer,
  signedPolicy,
  signInOwner,
  startServe,
  until,
} from './server.ts';
import { makeKey, openStage, type Stage } from './stage.ts';

const POLICY = 'release-only';
const REPOSITORY = 'team/app';

/** Anonymous pulls are off in the first and on in the second. */
let closed: RunningServer;
let open: RunningServer;
let stages: readonly [Stage, Stage];

before(async () => {
  stages = [await openStage(), await openStage()];
  closed = await serve(stages[0], false);
  open = await serve(stages[1], 'loopback');
});

after(async () => {
  await Promise.all([closed.stop(), open.stop()]);
  await Promise.all(stages.map((stage) => stage[Symbol.asyncDispose]()));
});

/** A server with a signed index `signed` and an unsigned one `unsigned`. */
async function serve(own: Stage, anonymousPull: boolean | 'loopback'): Promise<RunningServer> {
  const { key, pub } = await makeKey(own, 'release');
  await own.write('policies/release.yaml', signedPolicy({ name: POLICY, pub }));
  const server = await startServe(own, {
    policies: [own.path('policies')],
    gateway: `  anonymousPull: ${anonymousPull}\n`,
  });
  const repository = `${server.host}/${REPOSITORY}`;
  for (const tag of ['signed', 'unsigned']) await pushMultiArch(repository, tag, server.pushToken);
  const owner = await signInOwner(server);
  const token = await owner.makeToken({
    name: 'release workflow',
    repository: REPOSITORY,
    actions: ['pull', 'push', 'sign'],
  });
  const credentials = ['--registry-username', 'token', '--registry-password', token];
  await own.succeeds(['sign', '--key', key, ...credentials, `${repository}:signed`]);
  return server;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Asked {
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

/** One request with exactly these headers, each line as it was recorded. */
function ask({ method = 'GET', url, headers = {}, body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const lines = Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : [...value],
    ]);
    const sent = request(url, { method, headers: Object.fromEntries(lines) }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.once('error', reject);
      answer.once('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(parts),
        }),
      );
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** A pull as one client does it. */
interface Pull {
  readonly recorded: RecordedPull;
  readonly server: RunningServer;
  /** An API token that was given to `login`; null for nobody. */
  readonly secret: string | null;
}

/** The registry token that the challenge asks for, fetched as the client fetches it. */
async function fetchToken({ recorded, secret }: Pull, challenge: string): Promise<string> {
  const parameters = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
  const { realm = '', service = '' } = parameters;
  const scope = `repository:${REPOSITORY}:pull`;
  assert.match(challenge, /^Bearer /);
  const headers = { 'user-agent': recorded.userAgent };
  const answer = await (recorded.token === 'post' && secret !== null
    ? ask({
        method: 'POST',
        url: realm,
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: new URLSearchParams({
          client_id: 'containerd-client',
          grant_type: 'password',
          password: secret,
          scope,
          service,
          username: 'token',
        }).toString(),
      })
    : ask({
        url: `${realm}?${new URLSearchParams({ ...(secret === null ? {} : { account: 'token' }), scope, service })}`,
        headers: {
          ...headers,
          ...(secret === null
            ? {}
            : { authorization: `Basic ${Buffer.from(`token:${secret}`).toString('base64')}` }),
        },
      }));
  assert.equal(answer.status, 200, answer.body.toString());
  const { token, access_token: access } = JSON.parse(answer.body.toString());
  return recorded.token === 'post' && secret !== null ? access : token;
}

/** The first requests: until the tag is resolved or refused. */
async function resolve(pull: Pull, tag: string): Promise<{ head: Answer; token: string }> {
  const { recorded, server } = pull;
  const headers = { 'user-agent': recorded.userAgent };
  const manifest = `${server.origin}/v2/${REPOSITORY}/manifests/${tag}${recorded.query}`;
  const headOf = (authorization: Readonly<Record<string, string>>) =>
    ask({
      method: 'HEAD',
      url: manifest,
      headers: { ...headers, accept: recorded.resolveAccept, ...authorization },
    });
  const first =
    recorded.begins === 'ping'
      ? await ask({ url: `${server.origin}/v2/`, headers })
      : await headOf({});
  if (first.status !== 401) return { head: first, token: '' };
  assert.equal(first.headers['docker-distribution-api-version'], 'registry/2.0');
  const token = await fetchToken(pull, first.headers['www-authenticate'] ?? '');
  return { head: await headOf({ authorization: `Bearer ${token}` }), token };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** All of the pull of an admitted index: the child for amd64, its config and its layers. */
async function pullWhole(pull: Pull, tag: string): Promise<void> {
  const { recorded, server } = pull;
  const { head, token } = await resolve(pull, tag);
  assert.equal(head.status, 200);
  const digest = String(head.headers['docker-content-digest']);
  const mediaType = String(head.headers['content-type']);
  const authorization = token === '' ? {} : { authorization: `Bearer ${token}` };
  const get = async (path: string, accept: readonly string[], wanted: string) => {
    const answer = await ask({
      url: `${server.origin}/v2/${REPOSITORY}/${path}${recorded.query}`,
      headers: {
        'user-agent': recorded.userAgent,
        ...(accept.length === 0 ? {} : { accept }),
        ...authorization,
      },
    });
    assert.equal(answer.status, 200, `${path}: ${answer.body}`);
    assert.equal(digestOf(answer.body), wanted);
    return answer;
  };
  const index = await get(`manifests/${digest}`, recorded.manifestAccept(mediaType), digest);
  assert.equal(index.body.length, Number(head.headers['content-length']));
  const [child] = JSON.parse(index.body.toString()).manifests;
  const accept = recorded.manifestAccept(child.mediaType);
  const manifest = await get(`manifests/${child.digest}`, accept, child.digest);
  assert.equal(manifest.headers['content-type'], child.mediaType);
  const { config, layers } = JSON.parse(manifest.body.toString());
  for (const blob of [config, ...layers]) {
    await get(`blobs/${blob.digest}`, recorded.blobAccept(blob.mediaType), blob.digest);
  }
}

/** `docker pull` shows the first error of the body so, after "Error response from daemon: …". */
function shown({ body }: Answer): string {
  const [{ code, message }] = JSON.parse(body.toString()).errors;
  return `${String(code).toLowerCase().replaceAll('_', ' ')}: ${message}`;
}

/** One line that fits a terminal: policy, clause and decision in printable ASCII. */
function assertShowable(line: string): void {
  assert.match(line, /^denied: [\x20-\x7e]{1,200}$/);
  assert.match(line, new RegExp(`refused by policy ${POLICY}: signed: `));
  assert.match(line, /\(decision [0-9A-HJKMNP-TV-Z]{26}\)$/);
}

for (const recorded of RECORDED_PULLS) {
  const callers = [
    { who: 'nobody, on loopback', pull: () => ({ recorded, server: open, secret: null }) },
    { who: 'who logged in', pull: () => ({ recorded, server: closed, secret: closed.pushToken }) },
    {
      who: 'who logged in where anybody may pull',
      pull: () => ({ recorded, server: open, secret: open.pushToken }),
    },
  ];
  for (const { who, pull } of callers) {
    test(`${recorded.client}, ${who}, pulls what is signed`, () => pullWhole(pull(), 'signed'));

    test(`${recorded.client}, ${who}, is refused what is not signed`, async () => {
      const { head, token } = await resolve(pull(), 'unsigned');
      assert.equal(head.status, 403);
      assert.equal(head.body.length, 0, 'an answer to HEAD has no body');
      assert.equal(head.headers['docker-content-digest'], undefined);
      if (!recorded.asksWhy) return;
      const why = await ask({
        url: `${pull().server.origin}/v2/${REPOSITORY}/manifests/unsigned`,
        headers: { accept: recorded.resolveAccept, authorization: `Bearer ${token}` },
      });
      assert.equal(why.status, 403);
      assertShowable(shown(why));
    });
  }

  test(`${recorded.client} without credentials is refused where nobody may pull unknown`, async () => {
    const head = await ask({
      method: 'HEAD',
      url: `${closed.origin}/v2/${REPOSITORY}/manifests/signed`,
      headers: { 'user-agent': recorded.userAgent, accept: recorded.resolveAccept },
    });
    assert.equal(head.status, 401);
    const pull = { recorded, server: closed, secret: null };
    await assert.rejects(fetchToken(pull, head.headers['www-authenticate'] ?? ''), /401/);
  });
}

test('containerd goes on with a layer that broke off', async () => {
  const pull = { recorded: RECORDED_PULLS[1] ?? assert.fail(), server: open, secret: null };
  const { head } = await resolve(pull, 'signed');
  const nobody = await pullToken(open, REPOSITORY);
  const url = `${open.origin}/v2/${REPOSITORY}`;
  const get = (path: string, more = {}) =>
    ask({ url: `${url}/${path}`, headers: { ...nobody, ...more } });
  const index = await get(`manifests/${head.headers['docker-content-digest']}`);
  const [child] = JSON.parse(index.body.toString()).manifests;
  const { layers } = JSON.parse((await get(`manifests/${child.digest}`)).body.toString());
  const [{ digest, size }] = layers;
  const rest = await get(`blobs/${digest}`, { range: 'bytes=10-' });
  assert.equal(rest.status, 206);
  assert.equal(rest.headers['content-range'], `bytes 10-${size - 1}/${size}`);
  const whole = await get(`blobs/${digest}`);
  assert.deepEqual(rest.body, whole.body.subarray(10));
});

test('the refusal of a policy with the longest name still fits', async () => {
  const name = 'a-name-of-a-policy-that-is-as-long-as-a-name-may-be-and-that-is';
  const { pub } = await makeKey(stages[1], 'foreign');
  await stages[1].write('policies/release.yaml', signedPolicy({ name, pub }));
  open.reload();
  const nobody = await pullToken(open, REPOSITORY);
  await until('the new policy decides', async () => {
    const answer = await ask({
      url: `${open.origin}/v2/${REPOSITORY}/manifests/unsigned`,
      headers: nobody,
    });
    assert.equal(answer.status, 403);
    const line = shown(answer);
    if (line.includes(`policy ${POLICY}:`)) return false;
    assert.match(line, /^denied: [\x20-\x7e]{1,200}$/);
    assert.match(line, /refused by policy a-name.*: signed.*\(decision [0-9A-HJKMNP-TV-Z]{26}\)$/);
    return true;
  });
});
