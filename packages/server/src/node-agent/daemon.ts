import { asFault, type TrustFault } from '@bulla/trust/fault/fault';
import { every } from '../bounds/every.ts';
import { createAgent, type NodeServer } from './agent.ts';
import type { Judgement } from './judgement.ts';
import { openKept } from './kept.ts';
import { openSealedFolder } from './sealed.ts';
import { listenOnSocket, type SocketPlace } from './socket.ts';
import { openStandIns } from './stand-ins.ts';

/** What the daemon of a node is started with. */
export interface DaemonParts {
  readonly server: NodeServer;
  readonly socket: SocketPlace;
  /** The folder of the cache; made for its owner alone. */
  readonly cache: string;
  readonly staleForMs: number;
  readonly freshMostMs: number;
  readonly clock: () => Date;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly judged: (judgement: Judgement) => void;
  /** Told of files that cannot be used, and of reports that were not taken. */
  readonly failed: (fault: TrustFault) => void;
}

const REPORT_EVERY_MS = 15_000;

/**
 * Starts the daemon that containerd's verifier asks. Disposing it stops listening and lets questions
 * under way end. Throws `node.folder-unsafe`, `node.socket-taken`.
 */
export async function startNodeDaemon(parts: DaemonParts): Promise<AsyncDisposable> {
  const { cache, clock, now, failed, socket } = parts;
  const folder = await openSealedFolder(cache);
  const keeping = { folder, clock, now, failed };
  const standIns = await openStandIns(keeping);
  const agent = createAgent({ ...parts, kept: await openKept(keeping), standIns });
  await using opened = new AsyncDisposableStack();
  opened.use(await listenOnSocket(socket, agent));
  opened.use(
    every({ everyMs: REPORT_EVERY_MS, atOnce: true }, agent.report, (error) =>
      failed(asFault(error)),
    ),
  );
  return opened.move();
}
