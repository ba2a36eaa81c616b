import assert from 'node:assert/strict';
import { HOST, type House } from './house.ts';

/** People who hand things in, by tokens of theirs. */
export type Who = 'ann' | 'ben';

/** An emergency in a house whose policy takes exceptions: what people do with their keys. */
export interface Emergency {
  /** The digest of the image that nobody signed, below `prod/shop/catalogue`. */
  readonly image: string;
  /** Runs `bulla` as somebody, which must end well; gives its answer. */
  as(who: Who, args: readonly string[]): Promise<string>;
  /** Signs and hands in a request. */
  request(who: Who, name: string): Promise<string>;
  /** Has an approver sign a request that was handed in, and hands that in. */
  approve(who: Who, name: string): Promise<string>;
  breakGlass(who: Who, name: string): Promise<string>;
  /** The secret of a sign-in link of a user. */
  linkFor(user: string): Promise<string>;
}

const PERMISSIONS = [
  'exceptions.read',
  'exceptions.request',
  'decisions.read',
  'policies.read',
  'policies.simulate',
] as const;

/** Makes tokens for people, and looks up what is not signed. */
export async function openEmergency(house: House): Promise<Emergency> {
  const { stage, origin } = house;
  const image = await house.push('prod/shop/catalogue', 'v2', 'catalogue 2');
  const users = await house.ask('GET', '/users');
  const ben = userOf(users, 'ben');
  const tokenFor = async (more: object) => {
    const ask = { name: 'exceptions', permissions: PERMISSIONS, ...more };
    const secret = member(await house.ask('POST', '/tokens', ask), 'secret');
    assert.equal(typeof secret, 'string');
    return String(secret);
  };
  const tokens = { ann: await tokenFor({}), ben: await tokenFor({ user: ben }) };
  const as = (who: Who, args: readonly string[]) =>
    stage.succeeds(args, { BULLA_SERVER: origin, BULLA_TOKEN: tokens[who] });
  const named = `${HOST}/prod/shop/catalogue@${image}`;
  return {
    image,
    as,
    async request(who, name) {
      await as(who, [
        ...['exception', 'request', named, '--name', name, '--for-policy', 'production'],
        ...['--clause', 'require', '--identity', 'dev@acme.example', '--until', '24h'],
        ...[
          '--reason',
          // Markup, and a character that turns the reading of what follows: both must be seen as they are.
          'the signer is down, ticket <b>4711</b> \u202e!',
          '--control',
          'only in the canary ring',
        ],
        ...['--key', stage.path('dev.key'), '--write', stage.path(`${name}.json`)],
      ]);
      return as(who, ['exception', 'submit', stage.path(`${name}.json`)]);
    },
    async approve(who, name) {
      const [fetched, approved] = [stage.path(`${name}-f.json`), stage.path(`${name}-a.json`)];
      await as(who, ['exception', 'fetch', name, '--write', fetched]);
      await as(who, [
        ...['exception', 'approve', fetched, '--identity', 'security@acme.example', '--yes'],
        ...['--key', stage.path('security.key'), '--write', approved],
      ]);
      return as(who, ['exception', 'submit', approved]);
    },
    async linkFor(user) {
      const made = await house.ask('POST', `/users/${userOf(users, user)}/link`);
      return String(member(made, 'secret'));
    },
    breakGlass: (who, name) =>
      as(who, [
        ...['break-glass', named, '--for-policy', 'production', '--name', name],
        ...['--identity', 'oncall@acme.example', '--reason', 'checkout is down', '--yes'],
        ...['--key', stage.path('oncall.key')],
      ]),
  };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function userOf(answer: unknown, name: string): string {
  const users = member(answer, 'users');
  assert.ok(Array.isArray(users));
  const user: unknown = users.find((one: unknown) => member(one, 'name') === name);
  return String(member(user, 'id'));
}
