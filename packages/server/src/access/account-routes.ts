import type { ApiCall, ApiRoute } from '../http/api/route.ts';
import { actorOf } from './actor.ts';
import { activityAnswer, linkAnswer, tokenAnswer, userAnswer } from './answers.ts';
import {
  ActivityAnswer,
  ActivityQuery,
  AddedUserAnswer,
  CreatedTokenAnswer,
  checked,
  LinkAnswer,
  listAnswer,
  TokenAnswer,
  TokenBody,
  TokensQuery,
  UserAnswer,
  UserBody,
  UserChangeBody,
} from './schemas.ts';
import type { AccessService } from './service.ts';

/** The routes of users, tokens and activity. */
export function accountRoutes(access: AccessService): readonly ApiRoute[] {
  return [...userRoutes(access), ...tokenRoutes(access), activityRoute(access)];
}

function userRoutes(access: AccessService): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/users',
      needs: 'users.read',
      summary: 'All users',
      answer: listAnswer('users', UserAnswer),
      async handle({ principal }) {
        return { users: (await access.listUsers(actorOf(principal))).map(userAnswer) };
      },
    },
    {
      method: 'POST',
      path: '/users',
      needs: 'users.manage',
      summary: 'Add a user; the answer has the link with which they set their password',
      body: UserBody,
      answer: AddedUserAnswer,
      async handle({ principal, body }) {
        const added = await access.addUser(actorOf(principal), checked(UserBody, body));
        return { user: userAnswer(added.user), link: linkAnswer(added.link) };
      },
    },
    {
      method: 'PATCH',
      path: '/users/:id',
      needs: 'users.manage',
      summary: 'Give a user another role, or disable or enable them',
      body: UserChangeBody,
      answer: UserAnswer,
      handle: (call) => changeUser(access, call),
    },
    {
      method: 'POST',
      path: '/users/:id/link',
      needs: 'users.manage',
      summary: 'A one-time link with which a user sets a new password; earlier links end',
      answer: LinkAnswer,
      async handle({ principal, params }) {
        return linkAnswer(await access.makeLink(actorOf(principal), params['id'] ?? ''));
      },
    },
  ];
}

async function changeUser(
  access: AccessService,
  { principal, params, body }: ApiCall,
): Promise<object> {
  const { role, disabled } = checked(UserChangeBody, body);
  const actor = actorOf(principal);
  const id = params['id'] ?? '';
  return userAnswer(
    role === undefined
      ? await access.setDisabled(actor, id, disabled === true)
      : await access.setRole(actor, id, role),
  );
}

function tokenRoutes(access: AccessService): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/tokens',
      needs: 'tokens.own',
      summary: 'Own tokens, or those of another user or everybody',
      query: TokensQuery,
      answer: listAnswer('tokens', TokenAnswer),
      async handle({ principal, query }) {
        const actor = actorOf(principal);
        const user = query['user'] ?? actor.user ?? '';
        const of = user === 'everybody' ? user : { user };
        return { tokens: (await access.listTokens(actor, of)).map(tokenAnswer) };
      },
    },
    {
      method: 'POST',
      path: '/tokens',
      needs: 'tokens.own',
      summary: 'Make a token; its secret is in this answer and nowhere else',
      body: TokenBody,
      answer: CreatedTokenAnswer,
      handle: (call) => createToken(access, call),
    },
    {
      method: 'DELETE',
      path: '/tokens/:id',
      needs: 'tokens.own',
      summary: 'Revoke a token at once, and those that it made',
      answer: TokenAnswer,
      async handle({ principal, params }) {
        return tokenAnswer(await access.revokeToken(actorOf(principal), params['id'] ?? ''));
      },
    },
  ];
}

async function createToken(access: AccessService, { principal, body }: ApiCall): Promise<object> {
  const { expires, ...asked } = checked(TokenBody, body);
  const { token, secret } = await access.createToken(actorOf(principal), {
    ...asked,
    ...(expires === undefined ? {} : { expires: new Date(expires) }),
  });
  return { token: tokenAnswer(token), secret };
}

function activityRoute(access: AccessService): ApiRoute {
  return {
    method: 'GET',
    path: '/activity',
    needs: 'users.read',
    summary: 'Changes of users and tokens, newest first',
    query: ActivityQuery,
    answer: listAnswer('activity', ActivityAnswer),
    async handle({ principal, query }) {
      const { before, limit } = checked(ActivityQuery, query);
      const activity = await access.listActivity(actorOf(principal), {
        ...(before === undefined ? {} : { before }),
        ...(limit === undefined ? {} : { limit: Number(limit) }),
      });
      return { activity: activity.map(activityAnswer) };
    },
  };
}
