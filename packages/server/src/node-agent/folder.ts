import type { Stats } from 'node:fs';
import { lstat, mkdir } from 'node:fs/promises';
import { quote, systemReason, TrustFault } from '@bulla/trust/fault/fault';

const OTHERS_WRITE = 0o022;

/**
 * The folder, made for its owner alone where it is missing. Whoever can write to it decides what the
 * node runs: it must belong to this process's user (or to root, where `root` says so), be no link, and
 * be writable for nobody else. Throws `node.folder-unsafe`.
 */
export async function requireOwnFolder(
  path: string,
  who: 'own' | 'own-or-root' = 'own',
): Promise<void> {
  let found: Stats;
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    found = await lstat(path);
  } catch (cause) {
    const says = `cannot make or read the folder ${quote(path)}: ${systemReason(cause)}`;
    throw new TrustFault('node.folder-unsafe', says, undefined, { cause });
  }
  if (!found.isDirectory()) throw unsafe(path, 'is no folder');
  if (!isOurs(found, who)) throw unsafe(path, `belongs to user ${found.uid}`);
  if ((found.mode & OTHERS_WRITE) !== 0) throw unsafe(path, 'is writable for others');
}

/** Whether a file or folder belongs to this process's user, or to root where that is as good. */
export function isOurs({ uid }: Pick<Stats, 'uid'>, who: 'own' | 'own-or-root' = 'own'): boolean {
  return uid === process.getuid?.() || (who === 'own-or-root' && uid === 0);
}

function unsafe(path: string, how: string): TrustFault {
  return new TrustFault('node.folder-unsafe', `${quote(path)} ${how}`);
}
