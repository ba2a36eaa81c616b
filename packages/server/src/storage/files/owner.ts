import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { unlessAbsent } from './operations.ts';
import type { Room } from './room.ts';

/** Where a folder says whose it is. */
export const OWNER = 'owner';

/** The database that a folder belongs to, by an id that both keep. */
export interface FolderOwner {
  /** The folder's path, for messages. */
  readonly folder: string;
  /** The id, or null for a folder that belongs to none yet. Throws `storage.corrupt`. */
  read(): Promise<string | null>;
  /**
   * Gives the folder to `id`, durably, if it belongs to none, and answers to which it belongs then.
   * Of several who do so at once, in whatever processes, all get one answer.
   */
  settle(id: string): Promise<string>;
}

const FORM = /^bulla-owner 1 ([0-9a-f]{24})\n$/;

/** The owner of a room's folder. */
export function folderOwner(room: Room): FolderOwner {
  const path = room.at(OWNER);

  async function read(): Promise<string | null> {
    const bytes = await unlessAbsent(room.files.readFile(path));
    if (bytes === null) return null;
    const text = Buffer.from(bytes).toString('latin1');
    const [, id] = FORM.exec(text) ?? [];
    if (id !== undefined) return id;
    throw new TrustFault('storage.corrupt', `${quote(path)} holds ${quote(text)}`);
  }

  return {
    folder: room.at(),
    read: () => room.run(read),
    settle: (id) =>
      room.run(() =>
        room.writers.run(path, async () => {
          const there = await read();
          if (there !== null) return there;
          await room.replace(path, Buffer.from(`bulla-owner 1 ${id}\n`));
          return id;
        }),
      ),
  };
}
