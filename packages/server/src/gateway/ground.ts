import { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { Objects } from '../storage/objects.ts';
import type { Registers } from '../storage/registers.ts';
import type { GatewayConfig } from './config.ts';
import type { Contents } from './contents.ts';
import { KEYS, repositoryOfKey } from './keys.ts';

/** What every part of the registry stands on. */
export interface Ground {
  readonly objects: Objects;
  readonly registers: Registers;
  readonly config: GatewayConfig;
  readonly clock: () => Date;
  /** Repositories whose cell was seen by this process; they are never deleted. */
  readonly known: Set<string>;
  /** Manifests in memory. */
  readonly contents: Contents;
}

const ATTEMPTS = 16;

/**
 * Writes a cell whatever is in it, unless it holds `value` already. Throws `storage.failed` when
 * others change the cell again and again meanwhile.
 */
export async function writeCell(
  { registers }: Ground,
  key: string,
  value: Uint8Array,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const cell = attempt === 0 ? null : await registers.read(key);
    if ((await registers.swap(key, cell?.version ?? null, value)) !== null) return;
  }
  throw new TrustFault('storage.failed', `the cell ${key} is changed by others without a pause`);
}

/**
 * Writes what `change` makes of a cell's value (null: there is none), again if somebody was faster; a
 * null of `change` leaves it as it is. Answers whether the cell is there then. Throws `storage.failed`
 * when others change it again and again meanwhile.
 */
export async function changeCell(
  { registers }: Pick<Ground, 'registers'>,
  key: string,
  change: (value: Uint8Array | null) => Uint8Array | null,
): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const cell = await registers.read(key);
    const value = change(cell?.value ?? null);
    if (value === null) return cell !== null;
    if ((await registers.swap(key, cell?.version ?? null, value)) !== null) return true;
  }
  throw new TrustFault('storage.failed', `the cell ${key} is changed by others without a pause`);
}

/** Deletes a cell whatever is in it; false when there is none. */
export async function deleteCell({ registers }: Ground, key: string): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const cell = await registers.read(key);
    if (cell === null) return false;
    if (await registers.delete(key, cell.version)) return true;
  }
  throw new TrustFault('storage.failed', `the cell ${key} is changed by others without a pause`);
}

/** Whether the repository was ever written to. */
export async function hasRepository(ground: Ground, repository: string): Promise<boolean> {
  if (ground.known.has(repository)) return true;
  if ((await ground.registers.read(KEYS.repository(repository))) === null) return false;
  ground.known.add(repository);
  return true;
}

/** Makes the repository known, before the first cell that belongs to it is written. */
export async function ensureRepository(ground: Ground, repository: string): Promise<void> {
  if (await hasRepository(ground, repository)) return;
  const at = new TextEncoder().encode(ground.clock().toISOString());
  // Null means that another request was first, which is as good.
  await ground.registers.swap(KEYS.repository(repository), null, at);
  ground.known.add(repository);
}

/**
 * Whether any repository has the content as a blob or as a manifest: asks each. For much content there
 * is `openHoldings`.
 */
export async function isContentWanted(ground: Ground, digest: Digest): Promise<boolean> {
  for (const key of await ground.registers.list(KEYS.repositories)) {
    if (await hasContent(ground, repositoryOfKey(key), digest)) return true;
  }
  return false;
}

/** Whether the repository has the content as a blob or as a manifest. */
export async function hasContent(
  { registers }: Ground,
  repository: string,
  digest: Digest,
): Promise<boolean> {
  return (
    (await registers.read(KEYS.blob(repository, digest))) !== null ||
    (await registers.read(KEYS.manifest(repository, digest))) !== null
  );
}
