import { hasCode } from '@bulla/trust/fault/fault';
import { transact } from '../storage/tables.ts';
import { OPERATOR } from './actor.ts';
import { type Ground, later } from './ground.ts';
import { type IssuedLink, issueLink } from './links.ts';
import { type CreatedToken, insertToken } from './tokens.ts';
import { insertUser, type User } from './user.ts';

/** What the first start makes: to be printed once, on the terminal of who started the server. */
export interface FirstStart {
  /** An owner without a password, called `owner` until the link was used. */
  readonly owner: User;
  /** With it the owner sets a name and a password. */
  readonly link: IssuedLink;
  /** Pulls and pushes everywhere, and nothing else. */
  readonly pushToken: CreatedToken;
}

/**
 * The first owner of an empty database, or null when it has users. Nobody becomes owner by visiting
 * first (semantics 20): the way in is the link. Of replicas that start together one gets it.
 */
export async function firstStart(ground: Ground): Promise<FirstStart | null> {
  const { clock, config } = ground;
  try {
    return await transact(ground.tables, async (sql) => {
      const known = await sql.selectFrom('users').select('id').limit(1).executeTakeFirst();
      if (known !== undefined) return null;
      const at = clock();
      const owner = await insertUser(sql, at, { name: 'owner', role: 'owner' }, OPERATOR);
      const link = await issueLink(sql, ground, owner, 'first-owner');
      const pushToken = await insertToken(sql, at, OPERATOR, {
        name: 'first push',
        user: owner,
        parent: null,
        permissions: [],
        repositories: [{ repository: '**', actions: ['pull', 'push'] }],
        expires: later(at, config.firstTokenMs),
      });
      return { owner, link, pushToken };
    });
  } catch (error) {
    // Another replica has made the owner meanwhile.
    if (hasCode(error, 'storage.conflict')) return null;
    throw error;
  }
}
