import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Log, LogLevel } from '@bulla/server/http/log';
import type { NodeServer } from '@bulla/server/node-agent/agent';
import { printable, TrustFault } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { readFileBounded } from '../../options/files.ts';
import { outputOption } from '../../options/output.ts';
import { type SpanBounds, spanOption } from '../../options/span.ts';
import { openApiClient } from '../../server/api-client.ts';

interface ServeFlags {
  readonly server?: string;
  readonly tokenFile: string;
  readonly cacert?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly socket: string;
  readonly socketMode: '0600' | '0660';
  readonly cache: string;
  readonly staleFor: number;
  readonly freshFor: number;
  readonly timeout: number;
  readonly logLevel: LogLevel;
  readonly output: 'text' | 'json';
}

/** Where the verifier looks for the daemon unless it was installed for another place. */
export const SOCKET = '/run/bulla/node.sock';
const CACHE = '/var/lib/bulla-node';
const STALE_FOR_MS = 15 * 60_000;
const FRESH_FOR_MS = 30_000;
const TIMEOUT_MS = 5000;
/** Together with the time for an answer it is below that of the verifier. */
const PROBE_MS = 1500;
const FILE_MOST_BYTES = 4 << 20;

/** `bulla node serve`: the daemon that containerd's verifier asks. */
export function configureServe(command: Command, context: CliContext): void {
  const choices = (flags: string, description: string, all: readonly string[], given: string) =>
    command.createOption(flags, description).choices(all).default(given);
  const span = (flags: string, description: string, ms: number, most: SpanBounds, shown: string) =>
    command
      .createOption(flags, description)
      .argParser(spanOption(flags.split(' ', 1)[0] ?? '', most))
      .default(ms, shown);
  command
    .command('serve')
    .description('answer containerd’s verifier, and ask the server')
    .option('--server <url>', 'the server (or BULLA_SERVER)')
    .requiredOption('--token-file <file>', 'token with node.ask; read again for each question')
    .option('--cacert <file>', 'PEM file of the authority of the server’s certificate')
    .option('--client-cert <file>', 'certificate in PEM for a listener that wants one (mTLS)')
    .option('--client-key <file>', 'its key in PEM')
    .option('--socket <path>', 'unix socket to listen on', SOCKET)
    .addOption(choices('--socket-mode <mode>', 'who may ask', ['0600', '0660'], '0600'))
    .option('--cache <folder>', 'passes that were given; made for this user alone', CACHE)
    .addOption(
      span(
        '--stale-for <time>',
        'how long a pass stands in while the server is absent; 0s: not at all',
        STALE_FOR_MS,
        { minMs: 0, maxMs: 24 * 3_600_000 },
        '15m',
      ),
    )
    .addOption(
      span(
        '--fresh-for <time>',
        'how long a pass is given again unasked; the server may say less',
        FRESH_FOR_MS,
        { minMs: 0, maxMs: 60_000 },
        '30s',
      ),
    )
    .addOption(
      span(
        '--timeout <time>',
        'after which the server is absent',
        TIMEOUT_MS,
        { minMs: 100, maxMs: 30_000 },
        '5s',
      ),
    )
    .addOption(
      choices(
        '--log-level <level>',
        'what is logged on standard error',
        ['debug', 'info', 'warn', 'error', 'silent'],
        'info',
      ),
    )
    .addOption(outputOption(command))
    .action((flags: ServeFlags) => serve(flags, context));
}

async function serve(flags: ServeFlags, context: CliContext): Promise<void> {
  const [{ startNodeDaemon }, { createLog }] = await Promise.all([
    import('@bulla/server/node-agent/daemon'),
    import('@bulla/server/http/log'),
  ]);
  const log = createLog(flags.logLevel);
  const socket = resolve(flags.socket);
  await using _daemon = await startNodeDaemon({
    server: await serverOf(flags, context),
    socket: { path: socket, mode: flags.socketMode === '0660' ? 0o660 : 0o600 },
    cache: resolve(flags.cache),
    staleForMs: flags.staleFor,
    freshMostMs: flags.freshFor,
    clock: context.clock,
    now: context.now,
    judged: ({ allow, ...judgement }) => judgedLine(log, allow, judgement),
    failed: (fault) => log.warn('the daemon goes on', { fault }),
  });
  context.out(
    flags.output === 'json'
      ? JSON.stringify({ ready: true, socket })
      : `ready ${printable(socket)}`,
  );
  await new Promise<void>((stop) => {
    if (context.signal.aborted) stop();
    // A listener alone keeps no process alive; the socket does.
    context.signal.addEventListener('abort', () => stop(), { once: true });
  });
}

function judgedLine(log: Log, allow: boolean, judgement: object): void {
  if (allow) log.info('let through', { ...judgement });
  else log.warn('blocked', { ...judgement });
}

/** The server by its API. What is wrong with the address or the files is said now, not at a pull. */
async function serverOf(flags: ServeFlags, context: CliContext): Promise<NodeServer> {
  const { parseNodeAnswer } = await import('@bulla/server/node-agent/parse');
  const url = flags.server ?? context.env['BULLA_SERVER'] ?? '';
  if (url === '') throw new TrustFault('usage.invalid', 'expected --server URL');
  const read = (path: string) => readFileBounded(path, FILE_MOST_BYTES, context.signal);
  const ca = flags.cacert === undefined ? null : await read(flags.cacert);
  const client = await clientOf(flags, read);
  await checkTls(ca, client);
  const open = async () => {
    const text = Buffer.from(await read(flags.tokenFile)).toString('utf8');
    const token = text.split(/\r?\n/, 1)[0] ?? '';
    return openApiClient({ url, token, ca, client, agent, signal: context.signal });
  };
  const agent = `bulla-node (${hostname().replace(/[^\x21-\x7e]/g, '?')})`;
  await open();
  const post = async (what: string, body: object, timeoutMs = flags.timeout): Promise<unknown> =>
    (await open()).json({
      method: 'POST',
      path: ['node', what],
      body,
      timeoutMs,
    });
  return {
    ask: async (question) => parseNodeAnswer(await post('decisions', question), question),
    report: async (report) => {
      await post('stand-ins', report);
    },
    probe: async () => {
      await post('stand-ins', { standIns: [], dropped: 0 }, PROBE_MS);
    },
  };
}

interface Client {
  readonly certificate: Uint8Array;
  readonly key: Uint8Array;
}

/** With files that cannot be used no connection is ever made, which would look like a server's absence. */
async function checkTls(ca: Uint8Array | null, client: Client | null): Promise<void> {
  const [{ X509Certificate }, { createSecureContext }] = await Promise.all([
    import('node:crypto'),
    import('node:tls'),
  ]);
  try {
    if (ca !== null) new X509Certificate(ca);
    if (client === null) return;
    createSecureContext({ cert: Buffer.from(client.certificate), key: Buffer.from(client.key) });
  } catch (cause) {
    const says = 'expected certificates in PEM, and the key that belongs to the client’s';
    throw new TrustFault('http.tls-invalid', says, undefined, { cause });
  }
}

async function clientOf(
  { clientCert, clientKey }: ServeFlags,
  read: (path: string) => Promise<Uint8Array>,
): Promise<Client | null> {
  if (clientCert === undefined && clientKey === undefined) return null;
  if (clientCert === undefined || clientKey === undefined) {
    throw new TrustFault('usage.invalid', 'expected --client-cert and --client-key together');
  }
  const [certificate, key] = await Promise.all([read(clientCert), read(clientKey)]);
  return { certificate, key };
}
