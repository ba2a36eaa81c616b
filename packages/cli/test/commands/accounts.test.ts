import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { call } from './call.ts';
import { type House, ownerToken, startUp } from './house.ts';
import { emptyFolder, type Run } from './run.ts';

const USER_ROW = /^bob +member +invited +\d{4}-\d{2}-\d{2}$/m;
const LINK = /sign-in#token=[A-Za-z0-9_-]{43}&user=[a-z]+$/m;
const SECRET = /^bulla_[A-Za-z0-9_-]{49}\n$/;

/** One command after another; the same whether a server runs or not. */
const STEPS: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly exit?: number;
  readonly code?: string;
  readonly out?: RegExp;
  readonly err?: RegExp;
}[] = [
  {
    name: 'add a user',
    args: ['user', 'add', 'bob', '--role', 'member'],
    out: LINK,
    err: /shown only now/,
  },
  {
    name: 'a name is unique, in whatever case',
    args: ['user', 'add', 'BOB', '--role', 'viewer'],
    exit: 2,
    code: 'access.name-taken',
  },
  {
    name: 'a name with a space',
    args: ['user', 'add', 'b ob', '--role', 'viewer'],
    exit: 2,
    code: 'access.name-invalid',
  },
  { name: 'list users', args: ['user', 'list'], out: USER_ROW },
  {
    name: 'another role',
    args: ['user', 'role', 'bob', 'viewer'],
    out: /^bob is viewer, invited$/m,
  },
  { name: 'disable', args: ['user', 'disable', 'Bob'], out: /^bob is viewer, disabled$/m },
  {
    name: 'no link for who is disabled',
    args: ['user', 'link', 'bob'],
    exit: 3,
    code: 'access.denied',
  },
  { name: 'enable', args: ['user', 'enable', 'bob'], out: /^bob is viewer, invited$/m },
  { name: 'a new link', args: ['user', 'link', 'bob'], out: LINK },
  {
    name: 'a user who is not there',
    args: ['user', 'disable', 'eve'],
    exit: 1,
    code: 'access.user-unknown',
  },
  {
    name: 'the last owner stays',
    args: ['user', 'role', 'ann', 'member'],
    exit: 1,
    code: 'access.last-owner',
  },
  {
    name: 'a token for a user',
    args: [
      ...['token', 'create', '--name', 'ci', '--for', 'bob', '--expires', '12h'],
      ...['--repository', 'team/**:pull', '--permission', 'decisions.read'],
    ],
    out: SECRET,
    err: /^may pull team\/\*\*; decisions\.read$/m,
  },
  {
    name: 'no more than its owner may',
    args: ['token', 'create', '--name', 'ci', '--for', 'bob', '--repository', 'team/**:push'],
    exit: 1,
    code: 'access.exceeds-rights',
  },
  {
    name: 'scope sign for a day',
    args: ['token', 'create', '--name', 's', '--for', 'ann', '--repository', 'a:pull,push,sign'],
    out: SECRET,
  },
  {
    name: 'scope sign for longer',
    args: [
      ...['token', 'create', '--name', 's', '--for', 'ann'],
      ...['--repository', 'a:sign', '--expires', '25h'],
    ],
    exit: 2,
    code: 'access.token-invalid',
  },
  {
    name: 'a token that may nothing',
    args: ['token', 'create', '--name', 'n', '--for', 'ann'],
    exit: 2,
    code: 'access.token-invalid',
  },
  {
    name: 'all rights of a role',
    args: ['token', 'create', '--name', 'w', '--for', 'bob', '--role', 'viewer'],
    out: SECRET,
    err: /^may pull \*\*; overview\.read; decisions\.read/m,
  },
  {
    name: 'an action that there is not',
    args: ['token', 'create', '--name', 'n', '--repository', 'a:fly'],
    exit: 2,
    code: 'usage.invalid',
  },
  {
    name: 'an expiry that is none',
    args: ['token', 'create', '--name', 'n', '--repository', 'a:pull', '--expires', 'soon'],
    exit: 2,
    code: 'usage.invalid',
  },
  {
    name: 'tokens of one user',
    args: ['token', 'list', '--for', 'bob'],
    out: /^ci +bob +pull team/m,
  },
  { name: 'all tokens', args: ['token', 'list'], out: /^s +ann +pull,push,sign a +\S+ +valid /m },
  {
    name: 'a token that is not there',
    args: ['token', 'revoke', `token_${'0'.repeat(32)}`],
    exit: 1,
    code: 'access.token-unknown',
  },
];

function assertStep(run: Run, { exit = 0, code, out, err }: (typeof STEPS)[number]): void {
  assert.equal(run.code, exit, run.out + run.err);
  if (code !== undefined) {
    assert.ok(run.err.includes(`[${code}]`), run.err);
    assert.match(run.err, /^remedy: \S/m);
    assert.equal(run.out, '');
  }
  if (out !== undefined) assert.match(run.out, out);
  if (err !== undefined) assert.match(run.err, err);
  for (const line of run.out.split('\n')) assert.ok(line.length <= 120, line);
}

/** JSON without what differs from run to run. */
function anonymous(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{32}/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/"secret": "[^"]+"/g, '"secret": ""')
    .replaceAll(/"lastUsed": ("TIME"|null)/g, '"lastUsed": ""');
}

const LISTS = [
  ['user', 'list', '-o', 'json'],
  ['token', 'list', '--for', 'bob', '-o', 'json'],
] as const;

describe('users and tokens at a server and offline', () => {
  let house: House;
  let data: string;
  let token: string;
  let origin: string;
  const folders = new AsyncDisposableStack();
  const shown: string[] = [];

  before(async () => {
    data = join(folders.use(await emptyFolder()).path, 'data');
    house = await startUp(data, ['--listen', 'https://127.0.0.1:0']);
    token = await ownerToken(house);
    origin = house.ready.addresses[0] ?? '';
  });
  after(async () => {
    await house.stop();
    await folders.disposeAsync();
  });

  const atServer = (args: readonly string[]) =>
    call(args, { BULLA_SERVER: origin, BULLA_TOKEN: token });

  test('each command at a server', async (t) => {
    for (const step of STEPS) {
      await t.test(step.name, async () => assertStep(await atServer(step.args), step));
    }
    for (const args of LISTS) shown.push(anonymous((await atServer(args)).out));
  });

  test('a token is revoked by the end of its id, and is nobody at once', async () => {
    const made = await atServer([
      ...['token', 'create', '--name', 'gone', '--permission', 'users.read', '-o', 'json'],
    ]);
    const { token: created, secret } = JSON.parse(made.out);
    const env = { BULLA_SERVER: origin, BULLA_TOKEN: secret };
    assert.equal((await call(['user', 'list'], env)).code, 0);
    const revoked = await atServer(['token', 'revoke', created.id.slice(-8)]);
    assert.equal(revoked.code, 0, revoked.err);
    const refused = await call(['user', 'list'], env);
    assert.equal(refused.code, 3);
    assert.match(refused.err, /\[access\.credentials-invalid\]/);
  });

  test('who may not is told so, and sees their own tokens', async () => {
    const made = await atServer([
      ...['token', 'create', '--name', 'small', '--for', 'bob'],
      ...['--permission', 'tokens.own'],
    ]);
    const env = { BULLA_SERVER: origin, BULLA_TOKEN: made.out.trim() };
    const refused = await call(['user', 'list'], env);
    assert.equal(refused.code, 3, refused.err);
    assert.match(refused.err, /\[access\.denied\]/);
    const own = await call(['token', 'list', '-o', 'json'], env);
    assert.equal(own.code, 0, own.err);
    const { tokens } = JSON.parse(own.out);
    assert.ok(tokens.length > 0);
    assert.ok(tokens.every(({ owner }: { owner: { name: string } }) => owner.name === 'bob'));
  });

  test('how a server is reached', async (t) => {
    const [, secure = ''] = house.ready.addresses;
    const file = join(data, '..', 'token');
    await writeFile(file, `${token}\nmore\n`);
    const odd = join(data, '..', 'odd');
    await writeFile(odd, 'two words\n');
    const ca = ['--cacert', house.ready.caFile ?? ''];
    const cases: readonly {
      name: string;
      args: readonly string[];
      env?: Readonly<Record<string, string>>;
      exit: number;
      code?: string;
    }[] = [
      { name: 'a token in a file', args: ['--server', origin, '--token-file', file], exit: 0 },
      {
        name: 'TLS by the local authority',
        args: ['--server', secure, '--token-file', file, ...ca],
        exit: 0,
      },
      {
        name: 'TLS by an authority that nobody named',
        args: ['--server', secure, '--token-file', file],
        exit: 3,
        code: 'server.unreachable',
      },
      { name: 'no token', args: ['--server', origin], exit: 2, code: 'server.token-missing' },
      {
        name: 'a token that cannot be one',
        args: ['--server', origin, '--token-file', odd],
        exit: 2,
        code: 'server.token-missing',
      },
      {
        name: 'a token of nobody',
        args: ['--server', origin],
        env: { BULLA_TOKEN: 'bulla_x' },
        exit: 3,
        code: 'access.credentials-invalid',
      },
      {
        name: 'another machine without TLS',
        args: ['--server', 'http://192.0.2.1', '--token-file', file],
        exit: 2,
        code: 'server.address-invalid',
      },
      {
        name: 'an address with a path',
        args: ['--server', `${origin}/api`, '--token-file', file],
        exit: 2,
        code: 'server.address-invalid',
      },
      {
        name: 'an address with a password',
        args: ['--server', 'https://u:secretpw@127.0.0.1', '--token-file', file],
        exit: 2,
        code: 'server.address-invalid',
      },
      {
        name: 'nobody there',
        args: ['--server', 'http://127.0.0.1:1', '--token-file', file],
        exit: 3,
        code: 'server.unreachable',
      },
      {
        name: 'two places at once',
        args: ['--server', origin, '--data', data],
        exit: 2,
        code: 'usage.invalid',
      },
      {
        name: 'a token file without a server',
        args: ['--data', data, '--token-file', file],
        exit: 2,
        code: 'usage.invalid',
      },
      {
        name: 'a folder that a server holds',
        args: ['--data', data],
        exit: 2,
        code: 'storage.locked',
      },
      {
        name: 'a folder without data',
        args: ['--data', join(data, 'keys')],
        exit: 2,
        code: 'server.data-missing',
      },
    ];
    for (const { name, args, env = {}, exit, code } of cases) {
      await t.test(name, async () => {
        const run = await call(['user', 'list', ...args], env);
        assert.equal(run.code, exit, run.out + run.err);
        if (code !== undefined) assert.ok(run.err.includes(`[${code}]`), run.err);
        assert.ok(!run.err.includes(token) && !run.err.includes('secretpw'), run.err);
        if (code === 'storage.locked') assert.match(run.err, /remedy: .*--server/);
      });
    }
  });

  test('each command offline, with the same output', async (t) => {
    await house.stop();
    for (const args of LISTS) {
      const { out } = await call([...args, '--data', data]);
      const at = shown.shift();
      if (args[0] === 'user') assert.equal(anonymous(out), at);
    }
    await using other = await emptyFolder();
    const fresh = join(other.path, 'data');
    const second = await startUp(fresh);
    await ownerToken(second);
    await second.stop();
    for (const step of STEPS) {
      await t.test(step.name, async () => {
        assertStep(await call([...step.args, '--data', fresh]), step);
      });
    }
    await t.test('offline a token is for somebody', async () => {
      const run = await call([
        'token',
        'create',
        '--name',
        'n',
        '--repository',
        'a:pull',
        '--data',
        fresh,
      ]);
      assert.equal(run.code, 2);
      assert.match(run.err, /\[access\.token-invalid\]/);
    });
    await t.test('what was made offline is what the server knows', async () => {
      await using again = await startUp(fresh);
      const env = { BULLA_SERVER: again.ready.addresses[0] ?? '' };
      const made = await call(['user', 'list'], { ...env, BULLA_TOKEN: 'bulla_x' });
      assert.equal(made.code, 3);
      assert.equal(again.ready.signIn, null, 'no second owner is made');
    });
  });
});
