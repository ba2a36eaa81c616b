import { asFault } from '../../../fault/fault.ts';
import { parseRegistryHost } from '../../../oci/reference.ts';
import { globsAfter } from './quotient.ts';

/** What a glob of policy-controller is as globs of canonical names. */
export interface ImportedGlob {
  /** All that it covers, and more where that cannot be said: for a policy that refuses. */
  readonly covering: readonly string[];
  /** At most what it covers, for a policy that lets in; null when nothing can be said to be in it. */
  readonly within: readonly string[] | null;
  /** Why the two differ; null when they do not. */
  readonly inexact: string | null;
}

/** Docker Hub's name there; here it is `docker.io` (semantics 7). */
const HUB_THERE = 'index.docker.io/';
const HUB = 'docker.io/';
const ANY_DIGEST: readonly string[] = ['@*', '@**', '@sha256:*', '@sha256:**'];
const ANY_TAG: readonly string[] = [':*', ':**'];

/**
 * The names that a glob covers (PC-2; pkg/apis/glob/glob.go). There the whole reference is matched,
 * `index.docker.io/library/app@sha256:…` once its tag was resolved; here the canonical name without
 * tag or digest is. So a glob must end in `*`, `@*` or the like to match by digest at all, and one that
 * names a tag or a digest covers a part of a repository, which no name says. A bare `*` means
 * `index.docker.io/library/*`, `*` `/*` means `index.docker.io/*` `/*`. That a `*` may by accident match
 * into the hexadecimal digits of a digest is not reproduced.
 */
export function importGlob(glob: string): ImportedGlob {
  if (glob === '*') return exactly(['docker.io/library/*']);
  if (glob === '*/*') return exactly(['docker.io/*/*']);
  const { name, rest } = splitRest(glob);
  const covering = coveringNames(name);
  const partial = partialReason(name, rest);
  if (partial !== null) return { covering, within: null, inexact: partial };
  const own = ownNames(name);
  if (own === null) return { covering, within: null, inexact: HUB_REASON };
  if (own.length === 0) return { covering, within: null, inexact: TYPED_REASON };
  const isWhole = covering.every((pattern) => own.includes(pattern));
  return { covering, within: own, inexact: isWhole ? null : TYPED_REASON };
}

const HUB_REASON =
  'policy-controller knows Docker Hub as index.docker.io only, so it covers more here than there';
const TYPED_REASON =
  'it matches references as they are typed, without their registry; here names are whole';

function exactly(names: readonly string[]): ImportedGlob {
  return { covering: names, within: names, inexact: null };
}

/** The name before a tag or digest in the last component, and what follows. */
function splitRest(glob: string): { readonly name: string; readonly rest: string } {
  const slash = glob.lastIndexOf('/');
  const tail = glob.slice(slash + 1);
  const mark = tail.search(/[:@]/);
  // Without a slash `localhost:5000**` is a registry and its port.
  if (mark === -1 || (slash === -1 && /^:[0-9]+\*\*/.test(tail.slice(mark)))) {
    return { name: glob, rest: '' };
  }
  const at = slash + 1 + mark;
  return { name: glob.slice(0, at), rest: glob.slice(at) };
}

function partialReason(name: string, rest: string): string | null {
  const isOpen = name.endsWith('*');
  if (rest === '') {
    return isOpen ? null : 'without a * at its end it matches no reference by digest';
  }
  if (ANY_DIGEST.includes(rest)) return null;
  if (ANY_TAG.includes(rest)) {
    return isOpen ? null : 'it matches references by tag, and none by digest';
  }
  return `${rest} is a part of a repository, and a policy covers the whole of one`;
}

/** The names that the glob matches in their full form; null when it reaches Docker Hub by no such form. */
function ownNames(name: string): readonly string[] | null {
  const paths = globsAfter(name, HUB_THERE);
  const stray = globsAfter(name, HUB).filter(isHubPath);
  if (!stray.every((path) => paths.includes(path))) return null;
  return distinct([...hostNames(name), ...hubNames(name)]);
}

/** The same, and what it matches as text that was typed without a registry, which means Docker Hub. */
function coveringNames(name: string): readonly string[] {
  return distinct([...hostNames(name), ...hubNames(name), ...typedNames(name)]);
}

function hostNames(name: string): readonly string[] {
  const [host = '', ...path] = name.split('/');
  if (path.length === 0) return host.includes('**') ? [name] : [];
  if (name.startsWith(HUB_THERE)) return [];
  if (host.includes('*')) return [name];
  return isHost(host) ? [[canonicalHost(host), ...path].join('/')] : [];
}

function hubNames(name: string): readonly string[] {
  const paths = globsAfter(name, HUB_THERE).filter(isHubPath);
  // What is open at its beginning covers its own form of Docker Hub.
  return paths.filter((path) => path !== name).map((path) => `${HUB}${path}`);
}

/** Every repository of Docker Hub has two components there, the official ones under `library/`. */
function isHubPath(path: string): boolean {
  return path.includes('/') || path.includes('**');
}

function typedNames(name: string): readonly string[] {
  const [host = '', ...path] = name.split('/');
  if (host.startsWith('**') || host.includes(':')) return [];
  // A dot makes a registry of the first component only where another follows.
  if (path.length > 0) return isHost(host) ? [] : [`${HUB}${name}`];
  return [`${HUB}${host.includes('**') ? '' : 'library/'}${name}`];
}

function isHost(component: string): boolean {
  return component === 'localhost' || /[.:]/.test(component);
}

/** Left as it is written when it is none, so that the reader of policies says so. */
function canonicalHost(host: string): string {
  try {
    return parseRegistryHost(host);
  } catch (error) {
    if (asFault(error).code === 'internal.defect') throw error;
    return host;
  }
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
