/**
 * Checks that package-lock.json names every platform package that a locked package may ask for, and
 * no registry's address. A registry that mirrors some platforms only makes `npm install` leave the
 * others out of the lock without a word, and `npm ci` then refuses the lock. `--write` adds what is
 * missing, without its hash: run it after `npm install`, then `npm install --package-lock-only`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly license?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const FILE = join(import.meta.dirname, '..', 'package-lock.json');
const lock: { packages: Record<string, LockEntry> } = JSON.parse(readFileSync(FILE, 'utf8'));
const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
  Object.entries(entry.optionalDependencies ?? {})
    .filter(
      ([name]) => !foldersAbove(path).some((at) => `${at}node_modules/${name}` in lock.packages),
    )
    .map(([name, version]) => ({ name, version, owner: entry })),
);

if (process.argv.includes('--write')) {
  for (const { name, version, owner } of missing) {
    const { dev, license } = owner;
    lock.packages[`node_modules/${name}`] = {
      version,
      ...platformOf(name),
      ...(dev === undefined ? {} : { dev }),
      ...(license === undefined ? {} : { license }),
      ...{ optional: true },
    };
  }
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
} else {
  for (const { name } of missing) {
    fail(`package-lock.json lacks ${name}: see tools/lock.ts`);
  }
  for (const [path, { resolved, link }] of Object.entries(lock.packages)) {
    if (resolved !== undefined && link !== true) fail(`package-lock.json says where ${path} lies`);
  }
}

/** `a/node_modules/b` → `a/node_modules/b/`, `a/`, ``: where Node would look for its packages. */
function foldersAbove(path: string): readonly string[] {
  const parts = path.split('node_modules/');
  const above = parts.map((_, index) => parts.slice(0, index).join('node_modules/'));
  return [path === '' ? '' : `${path}/`, ...above.reverse()];
}

/** What a platform package's own manifest says, as its name has it: npm skips it elsewhere by this. */
function platformOf(name: string): Readonly<Record<string, readonly string[]>> {
  const [, os, cpu, libc] =
    /(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-(\w+))?$/.exec(name) ?? [];
  if (os === undefined || cpu === undefined) throw new Error(`${name} names no platform`);
  const family = libc?.startsWith('musl') ? ['musl'] : libc?.startsWith('gnu') ? ['glibc'] : null;
  return { os: [os], cpu: [cpu], ...(os === 'linux' && family !== null ? { libc: family } : {}) };
}

function fail(why: string): void {
  console.error(why);
  process.exitCode = 1;
}
