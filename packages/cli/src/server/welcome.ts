import type { Server } from '@bulla/server/main';
import type { Starter } from '@bulla/server/up';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import type { CliContext } from '../context.ts';

/** What the start made, and how it is said. */
export interface WelcomeFormat {
  /** Null when there were policies already, or the start makes none. */
  readonly starter: Starter | null;
  readonly output: 'text' | 'json';
  /** What people call the server, where that is not what it listens on. */
  readonly origin: string | null;
}

/**
 * Says, once, how to sign in, push, and connect each client; then the line `ready` with the addresses.
 * With `json` all of it is one line: the secrets of the first start are in it and nowhere else.
 */
export function welcome(
  server: Server,
  { starter, output, origin }: WelcomeFormat,
  context: CliContext,
): void {
  const { addresses, caFile, registry, firstStart } = server;
  const called = new URL(origin ?? addresses[0] ?? '');
  const link =
    firstStart === null ? null : `${called.origin}/sign-in#token=${firstStart.link.secret}&first`;
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
  if (link !== null && pushToken !== null) firstLines(link, pushToken, called.host, context);
  if (starter !== null) starterLines(starter, called.host, context);
  policyWarnings(server, context);
  for (const line of connectLines(called, server)) context.out(line);
  context.out(`ready ${addresses.join(' ')}`);
}

function firstLines(link: string, token: string, host: string, { out }: CliContext): void {
  out('This is shown once:');
  out(`  sign in as the owner (24 hours):  ${link}`);
  out(`  push token (30 days):             ${token}`);
  out(`  log in, with it as the password:  bulla login ${host} -u token`);
  out('');
}

function starterLines(starter: Starter, host: string, { out }: CliContext): void {
  out('No policy was there, so one was written. It is in mode audit: it refuses nothing yet.');
  out(`  policy:  ${starter.policyFile}`);
  out(`  sign:    bulla sign --key ${starter.keyFile} \\`);
  out(`             --passphrase-file ${starter.passphraseFile} ${host}/IMAGE:TAG`);
  out('  enforce: set `mode: enforce` in the policy; it is read again by itself.');
  out('');
}

/** What makes the gateway refuse everything, or all that is pushed to it. */
function policyWarnings(server: Server, { err }: CliContext): void {
  const { set, problem, warnings } = server.policies();
  if (problem !== null) {
    err(`warning: ${problem.message}  [${problem.code}]`);
    err(`remedy: ${problem.remedy}`);
  }
  for (const warning of warnings) err(warning);
  if (set === null) return;
  if (set.policies.length === 0) {
    err('warning: there are no policies, so every pull is refused  [policy.none]');
    err('remedy: write one with `bulla policy init`, and name its file or folder to the server.');
  } else if (!mayCover(set, server.registry)) {
    err(
      `warning: no policy names images of ${server.registry}: they are refused  [policy.no-match]`,
    );
    err('remedy: name them in a policy, or start with the address that the policies name.');
  }
}

/** Whether any policy could be about images of this registry, as far as its patterns' beginnings say. */
function mayCover({ policies }: PolicySet, registry: string): boolean {
  return policies.some(({ document }) =>
    document.images.some((pattern) => {
      if ('regex' in pattern) return true;
      const text = 'exact' in pattern ? pattern.exact : pattern.glob;
      const star = text.indexOf('*');
      const literal = star === -1 ? text : text.slice(0, star);
      return literal.startsWith(`${registry}/`) || `${registry}/`.startsWith(literal);
    }),
  );
}

function connectLines(
  { origin, host, protocol }: URL,
  { caFile, registry }: Server,
): readonly string[] {
  const insecure = (option: string) => (protocol === 'http:' ? ` ${option}` : '');
  return [
    `Push to ${host}, and pull from it:`,
    `  docker pull ${host}/IMAGE:TAG`,
    `  podman pull${insecure('--tls-verify=false')} ${host}/IMAGE:TAG`,
    `  skopeo copy${insecure('--src-tls-verify=false')} docker://${host}/IMAGE:TAG oci:IMAGE`,
    `  buildah from${insecure('--tls-verify=false')} ${host}/IMAGE:TAG`,
    `  cosign sign${insecure('--allow-http-registry')} --key KEY ${host}/IMAGE@DIGEST`,
    `  containerd and Kubernetes: ${origin}/ shows the files that they read`,
    ...(caFile === null ? [] : [`  over TLS, trust this authority: ${caFile}`]),
    ...(host === registry ? [] : [`  policies know these images as ${registry}/IMAGE`]),
    'What was decided, and why:',
    `  ${origin}/ shows it, and makes tokens under Tokens. With one that reads decisions:`,
    `  BULLA_TOKEN=TOKEN bulla decisions explain ID --server ${origin}`,
    '',
  ];
}
