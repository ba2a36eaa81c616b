import type { ServerConfig } from '@bulla/server/config/config';
import type { Log } from '@bulla/server/http/log';
import type { Server, ServerOptions } from '@bulla/server/main';
import { asFault } from '@bulla/trust/fault/fault';
import type { CliContext } from '../context.ts';
import { boundHeap } from './heap.ts';

/**
 * Runs a server until the user interrupts (SIGINT, SIGTERM), then lets requests under way end. SIGHUP
 * reads policies and certificates again, and calls `reread`. `ready` is told of the running server
 * once.
 */
export async function runServer(
  config: ServerConfig,
  options: Omit<ServerOptions, 'log'>,
  context: CliContext,
  ready: (server: Server) => void | Promise<void>,
  reread: (log: Log) => Promise<void> = async () => undefined,
): Promise<void> {
  const [{ startServer }, { createLog }] = await Promise.all([
    import('@bulla/server/main'),
    import('@bulla/server/http/log'),
  ]);
  using _bound = boundHeap();
  const log = createLog(config.log.level);
  const server = await startServer(config, { ...options, log });
  const reload = () => {
    Promise.all([server.reload(), reread(log)]).then(
      () => log.info('policies and certificates were read again'),
      (error: unknown) => log.error('the reload failed', { fault: asFault(error) }),
    );
  };
  process.on('SIGHUP', reload);
  try {
    await ready(server);
    await interrupted(context.signal);
  } finally {
    process.off('SIGHUP', reload);
    await server.close();
  }
}

function interrupted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}
