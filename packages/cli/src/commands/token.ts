import type { Role } from '@bulla/server/http/principal';
import { member } from '@bulla/trust/bytes/shape';
import { printable, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { instantOf } from '../options/instant.ts';
import { repeatableOptions } from '../options/repeatable.ts';
import { jsonText } from '../output/json.ts';
import { tableLines } from '../output/table.ts';
import { findToken, findUser, ID_ENDING, listTokens } from '../server/accounts.ts';
import { answer, asToken, parseTokens, type ShownToken } from '../server/parse.ts';
import { addPlaceCommand, openPlace, type PlaceFlags } from '../server/place.ts';

interface TokenFlags extends PlaceFlags {
  readonly output: 'text' | 'json';
}

interface CreateFlags extends TokenFlags {
  readonly name: string;
  readonly for?: string;
  readonly permission: readonly string[];
  readonly repository: readonly string[];
  readonly role?: Role;
  readonly expires?: string;
}

/** `bulla token create|list|revoke`: what programs log in with. */
export function configure(command: Command, context: CliContext): void {
  configureCreate(command, context);
  addPlaceCommand(command, 'list', 'list tokens: everybody’s where that is allowed, else your own')
    .option('--for <user>', 'those of this user alone')
    .action(async (flags: TokenFlags & { readonly for?: string }) => {
      await using api = await openPlace(flags, context);
      const user = flags.for === undefined ? null : (await findUser(api, flags.for)).id;
      const document = await listTokens(api, user);
      if (flags.output === 'json') return context.out(jsonText(document));
      const at = context.clock();
      const rows = parseTokens(document).map((token) => rowOf(token, at));
      for (const line of tableLines(COLUMNS, rows)) context.out(line);
    });
  addPlaceCommand(command, 'revoke', 'end a token at once, and those that were made with it')
    .argument('<id>', 'id of the token, or its last eight characters or more')
    .action(async (id: string, flags: TokenFlags) => {
      await using api = await openPlace(flags, context);
      const whole = await findToken(api, id);
      const document = await api.json({ method: 'DELETE', path: ['tokens', whole] });
      if (flags.output === 'json') return context.out(jsonText(document));
      const token = asToken(answer(document));
      context.out(`revoked ${printable(token.name)} of ${printable(token.owner)}, ${token.id}`);
    });
}

function configureCreate(command: Command, context: CliContext): void {
  const repeatable = repeatableOptions(command);
  addPlaceCommand(
    command,
    'create',
    'make a token; its secret is printed once, alone on standard output',
  )
    .requiredOption('--name <name>', 'what it is for')
    .option('--for <user>', 'whose token it is (default: yours; offline it must be said)')
    .addOption(
      repeatable(
        '--repository <glob:actions>',
        'pull, push, delete and sign on repositories, as in team/**:pull,push (repeatable)',
      ),
    )
    .addOption(
      repeatable('--permission <name>', 'a right of the API, such as decisions.read (repeatable)'),
    )
    .addOption(
      command
        .createOption('--role <role>', 'all the rights of a role')
        .choices(['owner', 'admin', 'member', 'viewer', 'auditor']),
    )
    .option('--expires <time>', 'when it ends: 30d, 12h, or a date (default: 90d; with sign 24h)')
    .action(async (flags: CreateFlags) => {
      const { expires } = flags;
      const whole = await roleRights(flags.role);
      const repositories = [...whole.repositories, ...flags.repository.map(scopeOf)];
      const permissions = [...new Set([...whole.permissions, ...flags.permission])];
      const wanted = { option: '--expires', now: context.clock(), toward: 'future' } as const;
      const until = expires === undefined ? null : instantOf(expires, wanted);
      await using api = await openPlace(flags, context);
      const user = flags.for === undefined ? null : (await findUser(api, flags.for)).id;
      const body = {
        name: flags.name,
        permissions,
        repositories,
        ...(user === null ? {} : { user }),
        ...(until === null ? {} : { expires: until.toISOString() }),
      };
      const document = await api.json({ method: 'POST', path: ['tokens'], body });
      if (flags.output === 'json') return context.out(jsonText(document));
      printCreated(document, context);
    });
}

/** What a role has, of which a token may have all but what its owner lacks. */
async function roleRights(
  role: Role | undefined,
): Promise<Pick<CreateBody, 'permissions' | 'repositories'>> {
  if (role === undefined) return { permissions: [], repositories: [] };
  const { repositoriesOfRole, rightsOfRole } = await import('@bulla/server/access/roles');
  return {
    permissions: [...rightsOfRole(role).permissions],
    repositories: repositoriesOfRole(role),
  };
}

interface CreateBody {
  readonly permissions: readonly string[];
  readonly repositories: readonly {
    readonly repository: string;
    readonly actions: readonly string[];
  }[];
}

/** `GLOB:ACTION,…`: what stands after the last colon are the actions. */
function scopeOf(text: string): {
  readonly repository: string;
  readonly actions: readonly string[];
} {
  const at = text.lastIndexOf(':');
  const actions = text.slice(at + 1).split(',');
  if (at < 1 || actions.some((action) => !/^(pull|push|delete|sign)$/.test(action))) {
    throw new TrustFault(
      'usage.invalid',
      `expected GLOB:pull,push,delete,sign at --repository, found ${quote(text)}`,
    );
  }
  return { repository: text.slice(0, at), actions };
}

/** The secret alone is the answer, so that a pipe takes it as it is. */
function printCreated(document: unknown, context: CliContext): void {
  const at = answer(document);
  const token = asToken(member(at, 'token'));
  const secret = member(at, 'secret').value;
  if (typeof secret !== 'string') {
    throw new TrustFault('server.answer-malformed', 'the answer has no secret');
  }
  context.err(`token ${printable(token.name)} of ${printable(token.owner)}, ${token.id}`);
  context.err(`may ${printable(rightsOf(token))}`);
  context.err(`until ${token.expires.slice(0, 16).replace('T', ' ')} UTC; shown only now:`);
  context.out(secret);
}

function rightsOf({ repositories, permissions }: ShownToken): string {
  const scopes = repositories.map(({ glob, actions }) => `${actions.join(',')} ${glob}`);
  return [...scopes, ...permissions].join('; ');
}

const COLUMNS = [
  { title: 'NAME', most: 18 },
  { title: 'OWNER', most: 14 },
  { title: 'MAY', most: 31 },
  { title: 'EXPIRES', most: 10 },
  { title: 'STATE', most: 7 },
  { title: 'ID', most: ID_ENDING },
] as const;

function rowOf(token: ShownToken, at: Date): readonly string[] {
  const { name, owner, expires, revoked, id } = token;
  const isOver = Date.parse(expires) <= at.getTime();
  const state = revoked !== null ? 'revoked' : isOver ? 'expired' : 'valid';
  return [name, owner, rightsOf(token), expires.slice(0, 10), state, id.slice(-ID_ENDING)];
}
