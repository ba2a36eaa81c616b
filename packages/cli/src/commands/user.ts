import { member } from '@bulla/trust/bytes/shape';
import { printable } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { jsonText } from '../output/json.ts';
import { tableLines } from '../output/table.ts';
import { findUser, signInAddress } from '../server/accounts.ts';
import type { Api } from '../server/api.ts';
import {
  answer,
  asLink,
  asUser,
  parseUsers,
  type ShownLink,
  type ShownUser,
} from '../server/parse.ts';
import { addPlaceCommand, openPlace, type PlaceFlags } from '../server/place.ts';

interface UserFlags extends PlaceFlags {
  readonly output: 'text' | 'json';
}

const ROLES = ['owner', 'admin', 'member', 'viewer', 'auditor'] as const;

/** `bulla user add|list|role|disable|enable|link`: who may use a server, there or offline. */
export function configure(command: Command, context: CliContext): void {
  const one = (name: string, description: string) => addPlaceCommand(command, name, description);
  one('list', 'list the users, with their roles').action((flags: UserFlags) =>
    withPlace(flags, context, (api) => list(api, flags, context)),
  );
  const role = command
    .createOption('--role <role>', 'what the user may do')
    .choices(ROLES)
    .makeOptionMandatory();
  one('add', 'add a user; prints the link with which they set their password')
    .argument('<name>', 'name to sign in with')
    .addOption(role)
    .action((name: string, flags: UserFlags & { readonly role: string }) =>
      withPlace(flags, context, async (api) => {
        const body = { name, role: flags.role };
        const document = await api.json({ method: 'POST', path: ['users'], body });
        if (flags.output === 'json') return context.out(jsonText(document));
        const at = answer(document);
        const user = asUser(member(at, 'user'));
        context.out(`added ${printable(user.name)}, ${user.role}`);
        printLink(asLink(member(at, 'link')), user, api, context);
      }),
    );
  one('role', 'give a user another role; it holds at once')
    .argument('<name>', 'name or id')
    .addArgument(command.createArgument('<role>', 'what the user may do').choices(ROLES))
    .action((name: string, chosen: string, flags: UserFlags) =>
      change(name, { role: chosen }, flags, context),
    );
  one('disable', 'end the sessions and tokens of a user, who cannot sign in any more')
    .argument('<name>', 'name or id')
    .action((name: string, flags: UserFlags) => change(name, { disabled: true }, flags, context));
  one('enable', 'let a disabled user sign in again')
    .argument('<name>', 'name or id')
    .action((name: string, flags: UserFlags) => change(name, { disabled: false }, flags, context));
  one('link', 'print a one-time link with which a user sets a new password; earlier ones end')
    .argument('<name>', 'name or id')
    .action((name: string, flags: UserFlags) =>
      withPlace(flags, context, async (api) => {
        const user = await findUser(api, name);
        const document = await api.json({ method: 'POST', path: ['users', user.id, 'link'] });
        if (flags.output === 'json') return context.out(jsonText(document));
        printLink(asLink(answer(document)), user, api, context);
      }),
    );
}

async function withPlace(
  flags: PlaceFlags,
  context: CliContext,
  work: (api: Api) => Promise<void>,
): Promise<void> {
  await using api = await openPlace(flags, context);
  await work(api);
}

async function list(api: Api, { output }: UserFlags, context: CliContext): Promise<void> {
  const document = await api.json({ method: 'GET', path: ['users'] });
  if (output === 'json') return context.out(jsonText(document));
  const rows = parseUsers(document).map(({ name, role, state, created }) => {
    return [name, role, state, created.slice(0, 10)];
  });
  for (const line of tableLines(COLUMNS, rows)) context.out(line);
}

const COLUMNS = [
  { title: 'NAME', most: 64 },
  { title: 'ROLE', most: 8 },
  { title: 'STATE', most: 8 },
  { title: 'CREATED', most: 10 },
] as const;

function change(
  name: string,
  body: { readonly role: string } | { readonly disabled: boolean },
  flags: UserFlags,
  context: CliContext,
): Promise<void> {
  return withPlace(flags, context, async (api) => {
    const { id } = await findUser(api, name);
    const document = await api.json({ method: 'PATCH', path: ['users', id], body });
    if (flags.output === 'json') return context.out(jsonText(document));
    const user = asUser(answer(document));
    context.out(`${printable(user.name)} is ${user.role}, ${user.state}`);
  });
}

/** The link is the answer; what it is for is a note. */
function printLink(
  link: ShownLink,
  { name }: Pick<ShownUser, 'name'>,
  api: Api,
  context: CliContext,
): void {
  const end = link.expires.slice(0, 16).replace('T', ' ');
  context.err(`to be opened once, until ${end} UTC; shown only now:`);
  context.out(signInAddress(api, link, name));
}
