import type { Server } from '@bulla/server/main';
import type { Starter } from '@bulla/server/up';
import type { CliContext } from '../context.ts';

/**
 * Says, once, how to sign in, push, and connect each client; then the line `ready` with the addresses.
 * With `json` all of it is one line: the secrets of the first start are in it and nowhere else.
 */
export function welcome(
  server: Server,
  starter: Starter | null,
  output: 'text' | 'json',
  context: CliContext,
): void {
  const { addresses, caFile, registry, firstStart } = server;
  const [first = ''] = addresses;
  const link = firstStart === null ? null : `${first}/sign-in#token=${firstStart.link.secret}&first`;
  const pushToken = firstStart?.pushToken.secret ?? null;
  if (output === 'json') {
    context.out(
      JSON.stringify({
        ready: true,
        addresses,
        registry,
        caFile,
        signIn: link,
        pushToken,
        starter,
      }),
    );
    return;
  }
  if (link !== null && pushToken !== null) firstLines(link, pushToken, registry, context);
  if (starter !== null) starterLines(starter, registry, context);
  const { set, problem } = server.policies();
  if (problem !== null) context.err(`warning: ${problem.message}  [${problem.code}]`);
  if (set?.policies.length === 0) {
    context.err('warning: there are no policies, so every pull is refused');
  }
  for (const line of connectLines(registry, caFile)) context.out(line);
  context.out(`ready ${addresses.join(' ')}`);
}

function firstLines(link: string, token: string, registry: string, { out }: CliContext): void {
  out('This is shown once:');
  out(`  sign in as the owner (24 hours):  ${link}`);
  out(`  push token (30 days):             ${token}`);
  out(`  log in to push:                   bulla login ${registry} -u token -p ${token}`);
  out('');
}

function starterLines(starter: Starter, registry: string, { out }: CliContext): void {
  out('No policy was there, so one was written. It is in mode audit: it refuses nothing yet.');
  out(`  policy:  ${starter.policyFile}`);
  out(`  sign:    bulla sign --key ${starter.keyFile} \\`);
  out(`             --passphrase-file ${starter.passphraseFile} ${registry}/IMAGE:TAG`);
  out('  enforce: set `mode: enforce` in the policy; it is read again by itself.');
  out('');
}

function connectLines(registry: string, caFile: string | null): readonly string[] {
  return [
    'Pull through the gateway:',
    `  docker pull ${registry}/IMAGE:TAG`,
    `  podman pull --tls-verify=false ${registry}/IMAGE:TAG`,
    `  skopeo copy --src-tls-verify=false docker://${registry}/IMAGE:TAG oci:IMAGE`,
    ...(caFile === null ? [] : [`  over TLS, trust this authority: ${caFile}`]),
    '',
  ];
}
