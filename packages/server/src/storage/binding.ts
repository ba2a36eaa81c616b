import { randomBytes } from 'node:crypto';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Registers } from './registers.ts';

/** A folder of objects, as far as it tells whose it is; `FolderOwner` of the files room. */
export interface Bindable {
  readonly folder: string;
  read(): Promise<string | null>;
  settle(id: string): Promise<string>;
}

/** The cell in which a database keeps the id of its folder. */
export const BINDING = 'objects-folder';

const FORM = /^bulla-folder 1 ([0-9a-f]{24}) (making|made)\n$/;
const ATTEMPTS = 16;

/**
 * Makes sure that the database behind `registers` and the folder belong together: a sweep by a server
 * of another database would remove what the first one refers to. At the first start of both, one id
 * is drawn and kept in each: as `making` in the cell, then in the folder, then as `made`. A crash in
 * between is gone on with, and of several servers that start at once one draws. Throws
 * `storage.folder-foreign` when they are not of one another, also for a folder that has lost its id,
 * as an empty one has where a volume was not mounted; `storage.corrupt`.
 */
export async function bindFolder(registers: Registers, folder: Bindable): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // First the folder: its id never comes before that of the cell.
    const found = await folder.read();
    const cell = await registers.read(BINDING);
    if (cell === null) {
      if (found !== null) throw foreign(folder, 'one that belongs to no database yet', found);
      await registers.swap(BINDING, null, bindingText(randomBytes(12).toString('hex'), 'making'));
      continue;
    }
    const [id, state] = parseBinding(cell.value);
    // What is made was made before the cell said so; the look before may have been too early.
    const now = state === 'making' ? await folder.settle(id) : (found ?? (await folder.read()));
    if (now !== id) throw foreign(folder, id, now);
    if (state === 'made') return;
    await registers.swap(BINDING, cell.version, bindingText(id, 'made'));
  }
  throw new TrustFault('storage.failed', `the cell ${BINDING} is changed without a pause`);
}

function bindingText(id: string, state: 'making' | 'made'): Uint8Array {
  return Buffer.from(`bulla-folder 1 ${id} ${state}\n`);
}

function parseBinding(value: Uint8Array): readonly [id: string, state: string] {
  const text = Buffer.from(value).toString('latin1');
  const [, id, state] = FORM.exec(text) ?? [];
  if (id !== undefined && state !== undefined) return [id, state];
  throw new TrustFault('storage.corrupt', `the cell ${BINDING} holds ${quote(text)}`);
}

function foreign({ folder }: Bindable, expected: string, found: string | null): TrustFault {
  const what = found === null ? 'none' : quote(found);
  const message = `${quote(folder)}: expected the folder ${quote(expected)}, found ${what}`;
  return new TrustFault('storage.folder-foreign', message);
}
