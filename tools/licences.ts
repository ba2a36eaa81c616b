/**
 * Checks that every package of the lock file (of production and of development, for every platform)
 * has a licence that the allow-list knows, and that no exception has become needless.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { licenceIsAllowed } from './licences/allowed.ts';
import { readManifest } from './manifest.ts';

const ROOT = join(import.meta.dirname, '..');

/** Packages whose licence field the allow-list does not know, each with why it may stay. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};

const lock: unknown = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
const packages = Object.entries(Object(Reflect.get(Object(lock), 'packages')));
const foreign = packages.filter(([path]) => path.includes('node_modules/')).filter(notALink);
const used = new Set<string>();
for (const [path, entry] of foreign) {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const licence = licenceOf(path, entry);
  if (licenceIsAllowed(licence)) continue;
  used.add(name);
  if (!(name in EXCEPTIONS)) fail(`${name}: licence ${licence || '(none)'} is not on the list`);
}
for (const name of Object.keys(EXCEPTIONS)) {
  if (!used.has(name)) fail(`${name}: the exception is needless, remove it from tools/licences.ts`);
}
if (foreign.length === 0) fail('package-lock.json names no package: the check is blind');

function notALink([, entry]: [string, unknown]): boolean {
  return Reflect.get(Object(entry), 'link') !== true;
}

function licenceOf(path: string, entry: unknown): string {
  const locked: unknown = Reflect.get(Object(entry), 'license');
  return typeof locked === 'string' ? locked : readManifest(join(ROOT, path)).licence;
}

function fail(why: string): void {
  console.error(why);
  process.exitCode = 1;
}
