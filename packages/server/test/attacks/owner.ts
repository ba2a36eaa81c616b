import assert from 'node:assert/strict';
import type { Fortress } from './fortress.ts';

/** What the first owner of a server does through the product API. */
export interface Owner {
  /** The answer's document, of a request that must succeed. */
  ask(method: string, path: string, body?: object): Promise<ReturnType<typeof JSON.parse>>;
  /** The secret of a new token for one repository. */
  makeToken(name: string, repository: string, actions: readonly string[]): Promise<string>;
}

/** Makes the first owner, `ann`, by the link that the terminal was shown. */
export async function ownerOf({ origin, server }: Fortress): Promise<Owner> {
  let cookie = '';
  const ask: Owner['ask'] = async (method, path, body) => {
    const answer = await fetch(`${origin}/api/bulla/v1${path}`, {
      method,
      headers: { origin, cookie, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    assert.ok(answer.ok, text);
    cookie = answer.headers.get('set-cookie')?.split(';', 1)[0] ?? cookie;
    return JSON.parse(text);
  };
  const link = server.firstStart?.link.secret;
  await ask('POST', '/session/link', { link, name: 'ann', password: 'a seal of clay, dried' });
  return {
    ask,
    async makeToken(name, repository, actions) {
      const repositories = [{ repository, actions }];
      const { secret } = await ask('POST', '/tokens', { name, repositories });
      return secret;
    },
  };
}
