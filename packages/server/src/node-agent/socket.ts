import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { quote, systemReason, TrustFault } from '@bulla/trust/fault/fault';
import type { Agent } from './agent.ts';
import { requireOwnFolder } from './folder.ts';
import { judgementLine } from './judgement.ts';
import { LINE_MOST_BYTES } from './parse.ts';

/** Where the daemon listens. */
export interface SocketPlace {
  readonly path: string;
  /** Who may ask: its user, or the members of its group as well. */
  readonly mode: 0o600 | 0o660;
}

const CONNECTIONS_MOST = 512;
/** From the connection to the whole line. */
const LINE_MS = 5000;
const LINE_FEED = 0x0a;

/**
 * Listens on a unix socket: a verifier sends one line and gets one. The socket's folder must be safe,
 * for whoever can exchange the socket says what the node runs. Disposing it takes the socket away and
 * lets questions under way end. Throws `node.folder-unsafe`, `node.socket-taken`.
 */
export async function listenOnSocket(
  { path, mode }: SocketPlace,
  agent: Pick<Agent, 'judge'>,
): Promise<AsyncDisposable> {
  await requireOwnFolder(dirname(path), 'own-or-root');
  await removeStale(path);
  const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket, agent));
  server.maxConnections = CONNECTIONS_MOST;
  await bind(server, path);
  await chmod(path, mode);
  return {
    async [Symbol.asyncDispose]() {
      // Node takes the socket's file away with it.
      server.close();
      await once(server, 'close');
    },
  };
}

async function bind(server: Server, path: string): Promise<void> {
  // Nobody else may connect before the mode is what it should be. The socket is made within listen.
  const umask = process.umask(0o177);
  try {
    server.listen({ path });
  } finally {
    process.umask(umask);
  }
  try {
    await once(server, 'listening');
  } catch (cause) {
    const says = `cannot listen on ${quote(path)}: ${systemReason(cause)}`;
    throw new TrustFault('node.socket-taken', says, undefined, { cause });
  }
}

/** A daemon that was killed leaves its socket; one that runs answers on it. */
async function removeStale(path: string): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = (await lstat(path)).isSocket();
  } catch (cause) {
    if (systemReason(cause) === 'ENOENT') return;
    const says = `cannot read ${quote(path)}: ${systemReason(cause)}`;
    throw new TrustFault('node.socket-taken', says, undefined, { cause });
  }
  if (!isSocket || (await isAnswered(path))) {
    const says = isSocket ? 'another daemon listens there' : 'it is no socket';
    throw new TrustFault('node.socket-taken', `${quote(path)} is taken: ${says}`);
  }
  await unlink(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

/**
 * One question and its answer; a line that is too long or too late is answered by the end alone. Whoever
 * stays when its answer is out, or does not read it, is hung up on: it would keep a place from others.
 */
function serve(socket: Socket, agent: Pick<Agent, 'judge'>): void {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  let late = setTimeout(() => socket.destroy(), LINE_MS);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(late));
  socket.on('end', () => {
    // Whoever hangs up before its question is whole wants no answer.
    if (!parts.at(-1)?.includes(LINE_FEED)) socket.destroy();
  });
  const read = (part: Buffer): void => {
    parts.push(part);
    sizeBytes += part.length;
    if (sizeBytes > LINE_MOST_BYTES) {
      socket.destroy();
      return;
    }
    if (!part.includes(LINE_FEED)) return;
    socket.off('data', read);
    clearTimeout(late);
    const whole = Buffer.concat(parts);
    // What follows the line is no JSON, and so refused with it.
    const line = whole.subarray(0, whole.at(-1) === LINE_FEED ? -1 : undefined);
    agent.judge(line).then(
      (judgement) => {
        if (socket.destroyed) return;
        late = setTimeout(() => socket.destroy(), LINE_MS);
        socket.end(judgementLine(judgement), () => socket.destroy());
      },
      () => socket.destroy(),
    );
  };
  socket.on('data', read);
}
