import { spawn } from 'node:child_process';
import { parseJson } from '../../bytes/json.ts';
import { asString, cursor, member } from '../../bytes/shape.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import type { Credentials, RegistryOptions } from './options.ts';

const HELPER_TIMEOUT_MS = 30_000;
const OUTPUT_LIMIT = 64 << 10;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
// docker-credential-helpers, credentials/error.go: said on standard output, with exit code 1.
const NOT_FOUND = /credentials not found in native keychain|no credentials|not found/i;

/** The credentials that `docker-credential-<helper>` keeps for a server; undefined: none. */
export async function askHelper(
  helper: string,
  server: string,
  options: RegistryOptions,
): Promise<Credentials | undefined> {
  const output = await runHelper(helper, 'get', server, options);
  if (output === undefined) return undefined;
  let found: { username: string; secret: string };
  try {
    const at = cursor(parseJson(output, 'the output'), '', 'credentials.helper-failed');
    found = { username: asString(member(at, 'Username')), secret: asString(member(at, 'Secret')) };
  } catch {
    // No cause: its message may quote what the helper wrote, and that is a secret.
    throw new TrustFault(
      'credentials.helper-failed',
      `docker-credential-${helper} wrote something else than credentials`,
    );
  }
  if (found.secret === '') return undefined;
  // docker-credential-helpers README: the username <token> marks an identity token.
  return found.username === '<token>'
    ? { kind: 'identity-token', token: found.secret }
    : { kind: 'password', username: found.username, password: found.secret };
}

/**
 * Runs one action of a credential helper with `input`; at most 30 seconds and 64 KiB of output.
 * Undefined when it says that it has no credentials. Throws `credentials.helper-failed`.
 */
export async function runHelper(
  helper: string,
  action: 'get' | 'store' | 'erase',
  input: string,
  options: RegistryOptions,
): Promise<Uint8Array | undefined> {
  if (!NAME.test(helper)) {
    throw new TrustFault('credentials.malformed', `${quote(helper)} is no name of a helper`);
  }
  const program = `docker-credential-${helper}`;
  const { code, output } = await run(program, action, input, options);
  if (code === 0) return output;
  if (action === 'get' && NOT_FOUND.test(Buffer.from(output).toString('utf8'))) return undefined;
  throw new TrustFault('credentials.helper-failed', `${program} ${action} ended with ${code}`);
}

function run(
  program: string,
  action: string,
  input: string,
  options: RegistryOptions,
): Promise<{ code: number | string; output: Uint8Array }> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    code: number | string;
    output: Uint8Array;
  }>();
  const env = Object.fromEntries(
    Object.entries(options.env).filter(([, value]) => value !== undefined),
  );
  const child = spawn(program, [action], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  // Not when its output ends: a program that the helper started may keep that open for ever.
  const stop = (why: string): void => {
    clearTimeout(timer);
    child.kill('SIGKILL');
    child.stdout.destroy();
    reject(new TrustFault('credentials.helper-failed', `${program} ${action} ${why}`));
  };
  const timer = setTimeout(() => {
    stop(`did not end within ${HELPER_TIMEOUT_MS / 1000} s`);
  }, HELPER_TIMEOUT_MS);
  const parts: Uint8Array[] = [];
  let size = 0;
  child.stdout.on('data', (chunk: Uint8Array) => {
    size += chunk.length;
    if (size > OUTPUT_LIMIT) stop(`wrote more than ${OUTPUT_LIMIT} bytes`);
    else parts.push(chunk);
  });
  child.once('error', (cause) => {
    clearTimeout(timer);
    reject(
      new TrustFault('credentials.helper-failed', `cannot run ${program}`, undefined, { cause }),
    );
  });
  child.once('close', (code, signal) => {
    clearTimeout(timer);
    resolve({ code: code ?? signal ?? 'a signal', output: Buffer.concat(parts) });
  });
  // A helper that ends without reading closes its end; that alone is no failure.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return promise;
}
