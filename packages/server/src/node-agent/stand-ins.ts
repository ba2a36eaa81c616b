import { parseJson } from '@bulla/trust/bytes/json';
import { asArray, asCount, cursor, member } from '@bulla/trust/bytes/shape';
import { asFault } from '@bulla/trust/fault/fault';
import { openTurns } from '../bounds/turns.ts';
import { asStandIn, STAND_INS_MOST, type StandIn, type StandInReport } from '../node/question.ts';
import { type KeptParts, type KeptPass, readOr } from './kept.ts';

/** The account of earlier passes that were used, until the server has it. */
export interface StandIns {
  /** Notes one use; resolves when it is on disk, or cannot be. */
  note(pass: KeptPass, at: Date): Promise<void>;
  /**
   * Hands what waits to `send`, a report at a time, and forgets what was taken; what `send` throws is
   * thrown, and then all that was not taken waits on. A process that is killed between tells it twice.
   */
  flush(send: (report: StandInReport) => Promise<void>): Promise<void>;
  readonly waiting: number;
}

const FILE = 'stand-ins.sealed';
/** Different passes that are kept account of; of more than these only the number is known. */
const WAITING_MOST = 1000;
const MALFORMED = 'node.cache-invalid';

/** The account that a folder holds. */
export async function openStandIns({ folder, failed }: KeptParts): Promise<StandIns> {
  const known = await readOr(folder, FILE, failed, parseAccount);
  const waiting = new Map<string, StandIn>();
  let dropped = known?.dropped ?? 0;
  for (const one of known?.standIns ?? []) waiting.set(keyOf(one), one);
  const saving = openTurns({ atOnce: 1 });
  // Apart from the saving: who pulls must not wait for a server that is slow.
  const sending = openTurns({ atOnce: 1 });

  const save = () =>
    saving(async () => {
      const account: StandInReport = { standIns: [...waiting.values()], dropped };
      try {
        await folder.write(FILE, Buffer.from(JSON.stringify(account)));
      } catch (error) {
        failed(asFault(error));
      }
    });

  async function sendOne(send: (report: StandInReport) => Promise<void>): Promise<void> {
    const batch = [...waiting.values()].slice(0, STAND_INS_MOST);
    const report = { standIns: batch, dropped };
    await send(report);
    dropped -= report.dropped;
    for (const sent of batch) {
      const now = waiting.get(keyOf(sent));
      // Used again while it was told.
      const rest = (now?.count ?? 0) - sent.count;
      if (now === undefined || rest <= 0) waiting.delete(keyOf(sent));
      else waiting.set(keyOf(sent), { ...now, count: rest, first: sent.last });
    }
    await save();
  }

  return {
    async note({ name, digest, decision }, at) {
      const one = { name, digest, decision, count: 1, first: at, last: at };
      const before = waiting.get(keyOf(one));
      if (before !== undefined) {
        waiting.set(keyOf(one), { ...before, count: before.count + 1, last: at });
      } else if (waiting.size < WAITING_MOST) {
        waiting.set(keyOf(one), one);
      } else {
        dropped += 1;
      }
      await save();
    },
    async flush(send) {
      await sending(async () => {
        while (waiting.size > 0 || dropped > 0) await sendOne(send);
      });
    },
    get waiting() {
      return waiting.size;
    },
  };
}

function keyOf({ name, digest, decision }: Pick<StandIn, 'name' | 'digest' | 'decision'>): string {
  return JSON.stringify([name, digest, decision]);
}

function parseAccount(bytes: Uint8Array): StandInReport {
  const at = cursor(parseJson(bytes, 'what stood in'), '', MALFORMED);
  return {
    standIns: asArray(member(at, 'standIns'), asStandIn, WAITING_MOST),
    dropped: asCount(member(at, 'dropped')),
  };
}
