/**
 * Checks that every package of the lock file (of production and of development, for every platform)
 * has a licence that the allow-list knows, and that no exception has become needless.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { licenceIsAllowed } from './licences/allowed.ts';
import { readManifest } from './manifest.ts';

const ROOT = join(import.meta.dirname, '..');

/**
 * Packages of development whose licence is not on the allow-list, each with why it may stay. None of
 * them is part of what is shipped: the build refuses to bundle what the list does not allow.
 */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'axe-core': 'MPL-2.0; tests load it into a browser',
  '@axe-core/playwright': 'MPL-2.0; tests start it',
  lightningcss: 'MPL-2.0; a program of the build',
};
/** Builds of an exception for one platform each. */
const PLATFORM = /-(?:android|darwin|freebsd|linux|openharmony|win32)-[a-z0-9-]+$/;

const lock: unknown = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
const packages = Object.entries(Object(Reflect.get(Object(lock), 'packages')));
const foreign = packages.filter(([path]) => path.includes('node_modules/')).filter(notALink);
const used = new Set<string>();
for (const [path, entry] of foreign) {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const licence = licenceOf(path, entry);
  if (licenceIsAllowed(licence)) continue;
  const exception = name.replace(PLATFORM, '');
  used.add(exception);
  if (!(exception in EXCEPTIONS))
    fail(`${name}: licence ${licence || '(none)'} is not on the list`);
  else if (!isDevelopment(entry)) fail(`${name}: ${licence} is allowed for development only`);
}
for (const name of Object.keys(EXCEPTIONS)) {
  if (!used.has(name)) fail(`${name}: the exception is needless, remove it from tools/licences.ts`);
}
if (foreign.length === 0) fail('package-lock.json names no package: the check is blind');

function notALink([, entry]: [string, unknown]): boolean {
  return Reflect.get(Object(entry), 'link') !== true;
}

function isDevelopment(entry: unknown): boolean {
  return Reflect.get(Object(entry), 'dev') === true;
}

function licenceOf(path: string, entry: unknown): string {
  const locked: unknown = Reflect.get(Object(entry), 'license');
  return typeof locked === 'string' ? locked : readManifest(join(ROOT, path)).licence;
}

function fail(why: string): void {
  console.error(why);
  process.exitCode = 1;
}
