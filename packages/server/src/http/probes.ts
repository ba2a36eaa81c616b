import { TrustFault } from '@bulla/trust/fault/fault';
import type { Door, HttpReply } from './exchange.ts';
import { plainRefusal } from './reply.ts';

/** Something without which the server should get no requests. */
export interface ReadyCheck {
  /** `tables`, `policies`: shown to whoever asks, so it names nothing secret. */
  readonly name: string;
  /** Resolves when all is well. What it throws is not shown. */
  check(signal: AbortSignal): Promise<void>;
}

/** How probes are answered. */
export interface ProbeOptions {
  /** How long one check may take before it counts as failed. Default 2000. */
  readonly timeoutMs?: number;
  /** How long an answer serves those who ask next. Default 500. */
  readonly keepMs?: number;
  readonly nowMs?: () => number;
}

/** `/healthz`: 200 as long as the process answers at all. */
export function healthDoor(): Door {
  return probe('/healthz', async () => ({ status: 200, body: '{"status":"ok"}' }));
}

/**
 * `/readyz`: 200 when every check passes, else 503 with the names of those that fail. Checks run side
 * by side, once for all who ask meanwhile: a probe that anybody may call must not become a load.
 */
export function readyDoor(checks: readonly ReadyCheck[], options: ProbeOptions = {}): Door {
  const { timeoutMs = 2000, keepMs = 500, nowMs = () => performance.now() } = options;
  let last: { readonly atMs: number; readonly failing: Promise<readonly string[]> } | null = null;
  return probe('/readyz', async () => {
    if (last === null || nowMs() - last.atMs >= keepMs) {
      last = { atMs: nowMs(), failing: failingOf(checks, timeoutMs) };
    }
    const failing = await last.failing;
    return failing.length === 0
      ? { status: 200, body: '{"status":"ready"}' }
      : { status: 503, body: JSON.stringify({ status: 'not ready', failing }) };
  });
}

async function failingOf(
  checks: readonly ReadyCheck[],
  timeoutMs: number,
): Promise<readonly string[]> {
  const states = await runChecks(checks, timeoutMs);
  return states.filter(({ ok }) => !ok).map(({ name }) => name);
}

/** Runs the checks side by side. One that fails, or hangs whatever its signal says, is not ok. */
export function runChecks(
  checks: readonly ReadyCheck[],
  timeoutMs: number,
): Promise<readonly { readonly name: string; readonly ok: boolean }[]> {
  return Promise.all(
    checks.map(async ({ name, check }) => ({ name, ok: await passes(check, timeoutMs) })),
  );
}

async function passes(check: ReadyCheck['check'], timeoutMs: number): Promise<boolean> {
  const ending = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    ending.abort();
    reject(new Error('too late'));
  }, timeoutMs);
  try {
    await Promise.race([check(ending.signal), late]);
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function probe(prefix: `/${string}`, answer: () => Promise<HttpReply>): Door {
  return {
    prefix,
    headers: { 'cache-control': 'no-store', 'content-type': 'application/json' },
    async handle({ segments, method }) {
      if (segments.length > 0) throw new TrustFault('http.not-found', `expected ${prefix}`);
      if (method !== 'GET' && method !== 'HEAD') {
        throw new TrustFault('http.method-unsupported', 'expected GET');
      }
      return answer();
    },
    refuse: plainRefusal,
  };
}
