import { randomBytes } from 'node:crypto';
import { type OpenFile, unlessAbsent } from './operations.ts';
import { pathOf } from './path.ts';
import type { Room, Sharing } from './room.ts';

/** Where the claims of a shared room lie in the data folder. */
export const CLAIMS = 'claims';

/** The right to one staged write, which one task of one process at a time has. */
export interface Claim {
  /** The mark of whoever had it last; empty when nobody knows. */
  readonly before: string;
  /** This claim's own mark. */
  readonly mark: string;
  /** Gives it back; `isOver`: there is no staged write any more. */
  release(isOver: boolean): Promise<void>;
}

/** Who has which staged write. */
export interface Claims {
  /** The claim, or null while somebody has it. */
  take(id: string): Promise<Claim | null>;
  /** Ids of which something is kept, for the sweep. */
  kept(): Promise<readonly string[]>;
}

/** Claims among the tasks of this process, which has the folder alone. */
export function ownClaims(): Claims {
  const busy = new Set<string>();
  return {
    async take(id) {
      if (busy.has(id)) return null;
      busy.add(id);
      return {
        before: ALONE,
        mark: ALONE,
        async release() {
          busy.delete(id);
        },
      };
    },
    kept: async () => [],
  };
}

/** The mark where nobody else can come between. */
const ALONE = 'alone';
const FORM = /^bulla-claim 1 ([0-9a-f]{24}) ([0-9a-f]{24}) (held|free)\n$/;
const LENGTH = 'bulla-claim 1 '.length + 24 + 1 + 24 + 1 + 4 + 1;

interface Held {
  readonly file: OpenFile;
  readonly before: string;
}

/**
 * Claims among processes: a file each, which names the process that has the staged write and a mark
 * that no two claims share. The file is read and written under a stripe, always as many bytes at the
 * same place: that needs no room on a full disk. Nothing is synced: when the machine is gone, so are
 * those who held anything. A claim of a process that has ended holds no longer, and one that cannot
 * be read was being written by a process that died.
 */
export function sharedClaims(room: Room, { process, isAlive }: Sharing): Claims {
  const { writers, files } = room;
  const own = ownClaims();
  const locate = (id: string) => room.at(CLAIMS, pathOf(id));

  async function claim(path: string, mark: string): Promise<Held | null> {
    const file = await openClaim(room, path);
    try {
      const [, holder = '', before = '', state] = FORM.exec(await textOf(file)) ?? [];
      const isHeld = state === 'held' && holder !== process && (await isAlive(holder));
      if (!isHeld) await file.write(Buffer.from(claimText(process, mark, 'held')), 0);
      if (!isHeld) return { file, before };
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return null;
  }

  async function letGo(path: string, file: OpenFile, mark: string, isOver: boolean): Promise<void> {
    try {
      await writers.run(path, async () => {
        if (isOver) await unlessAbsent(files.unlink(path));
        else await file.write(Buffer.from(claimText(process, mark, 'free')), 0);
      });
    } finally {
      await file.close();
    }
  }

  return {
    async take(id) {
      const inside = await own.take(id);
      if (inside === null) return null;
      const path = locate(id);
      const mark = randomBytes(12).toString('hex');
      let held: Held | null = null;
      try {
        held = await writers.run(path, () => claim(path, mark));
      } finally {
        if (held === null) await inside.release(false);
      }
      if (held === null) return null;
      const { file, before } = held;
      return {
        before,
        mark,
        async release(isOver) {
          try {
            await letGo(path, file, mark, isOver);
          } finally {
            await inside.release(isOver);
          }
        },
      };
    },
    kept: () => room.names(CLAIMS, ''),
  };
}

async function openClaim(room: Room, path: string): Promise<OpenFile> {
  const there = await unlessAbsent(room.files.open(path, 'change'));
  if (there !== null) return there;
  await room.makeFolderOf(path);
  return room.files.open(path, 'new');
}

async function textOf(file: OpenFile): Promise<string> {
  return Buffer.from(await file.read(LENGTH, 0)).toString('latin1');
}

function claimText(process: string, mark: string, state: 'held' | 'free'): string {
  return `bulla-claim 1 ${process} ${mark} ${state}\n`;
}
