import { quote, TrustFault } from '../fault/fault.ts';
import { type Digest, parseDigest } from './digest.ts';
import { isLoopbackHost } from './loopback.ts';

/** An artifact in a registry; `registry` is canonical: lower case, default port and aliases removed. */
export interface RegistryReference {
  readonly kind: 'registry';
  /** `host` or `host:port`; Docker Hub is always `docker.io`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** An artifact in an OCI image layout: a folder, or a tar archive of one. */
export interface LayoutReference {
  readonly kind: 'layout';
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** What a person writes to name an artifact. */
export type Reference = RegistryReference | LayoutReference;

// The distribution grammar (distribution/reference, regexp.go), one name per production.
const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const HOST = `(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])`;
const DOMAIN = new RegExp(`^(${HOST})(?::([0-9]{1,5}))?$`);
const PATH_COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${PATH_COMPONENT}(?:/${PATH_COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const IDENTIFIER = /^[a-f0-9]{64}$/;
// image-spec annotations.md: the grammar of org.opencontainers.image.ref.name.
const LAYOUT_REF = /^[A-Za-z0-9]+(?:(?:[-._:@+]|--|\/)[A-Za-z0-9]+)*$/;

const REPOSITORY_LIMIT = 255;
const REFERENCE_LIMIT = 4096;
const HUB = 'docker.io';
const HUB_ALIASES: readonly string[] = [
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
];

/**
 * A reference by the distribution grammar, made canonical (semantics 7), or `oci:PATH[:REF|@DIGEST]`.
 * A tag beside a digest is kept, and the digest decides. Throws `reference.malformed`. Stricter than
 * distribution/reference in one point: a first component in upper case without dot or port
 * (`Foo/bar`) is refused, because in lower case it would be another name.
 */
export function parseReference(text: string): Reference {
  if (text.length > REFERENCE_LIMIT) throw malformed(text, 'a shorter reference');
  return text.startsWith('oci:') ? parseLayout(text) : parseRegistry(text);
}

/** The text of a reference; `parseReference` of it gives the same reference. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${canonicalName(reference)}${tag}${digest}`;
}

/** The name by which policies match: `registry/repository` without tag or digest, or `oci:PATH`. */
export function canonicalName(reference: Reference): string {
  return reference.kind === 'registry'
    ? `${reference.registry}/${reference.repository}`
    : `oci:${reference.path}`;
}

/**
 * What to ask a store for: the digest, else the tag, else `latest` in a registry, and the empty
 * string in a layout (which means its only artifact).
 */
export function tagOrDigest(reference: Reference): string {
  return reference.digest ?? reference.tag ?? (reference.kind === 'registry' ? 'latest' : '');
}

/** The registry behind `text`, `host[:port]`, in its canonical form. Throws `reference.malformed`. */
export function parseRegistryHost(text: string): string {
  const domain = DOMAIN.exec(text);
  if (domain?.[1] === undefined) throw malformed(text, 'a registry as HOST or HOST:PORT');
  return canonicalHost(text, domain[1], domain[2]);
}

/** Whether `text` follows the grammar of repository names, without a registry, and is not too long. */
export function isRepositoryName(text: string): boolean {
  return text.length <= REPOSITORY_LIMIT && REPOSITORY.test(text);
}

/** Whether `text` follows the grammar of tags. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether a canonical registry is this machine: localhost, 127.0.0.0/8 or [::1]. */
export function isLoopback(registry: string): boolean {
  return isLoopbackHost(registry.replace(/:[0-9]+$/, ''));
}

function parseRegistry(text: string): RegistryReference {
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : parseDigest(text.slice(at + 1), 'the reference');
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const name = colon === -1 ? named : named.slice(0, colon);
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) throw malformed(text, 'a tag of letters, digits, _ . -');
  // 64 hexadecimal digits alone mean an image id to Docker, never a name (normalize.go).
  if (IDENTIFIER.test(name)) throw malformed(text, 'a name that is not 64 hexadecimal digits');
  const { registry, repository } = splitName(text, name);
  if (!REPOSITORY.test(repository)) throw malformed(text, 'a repository name in lower case');
  if (repository.length > REPOSITORY_LIMIT) {
    throw malformed(text, `a repository name of at most ${REPOSITORY_LIMIT} characters`);
  }
  return {
    kind: 'registry',
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function splitName(text: string, name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  // normalize.go splitDockerDomain: localhost, a dot or a colon make the first component a host.
  if (first !== 'localhost' && !/[.:]/.test(first)) {
    return { registry: HUB, repository: slash === -1 ? `library/${name}` : name };
  }
  const domain = DOMAIN.exec(first);
  if (domain?.[1] === undefined) throw malformed(text, 'a registry as HOST or HOST:PORT');
  const registry = canonicalHost(text, domain[1], domain[2]);
  const rest = name.slice(slash + 1);
  const official = registry === HUB && !rest.includes('/');
  return { registry, repository: official ? `library/${rest}` : rest };
}

function canonicalHost(text: string, host: string, portText: string | undefined): string {
  const lower = host.startsWith('[') ? canonicalIpv6(text, host) : host.toLowerCase();
  if (!host.startsWith('[')) requirePlainIpv4(text, lower);
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && (port < 1 || port > 65_535)) {
    throw malformed(text, 'a port between 1 and 65535');
  }
  // Loopback speaks plain HTTP, everything else HTTPS; a bare word needs its port to be a host.
  const defaultPort = isLoopback(lower) ? 80 : 443;
  const bareWord = lower !== 'localhost' && !/[.:]/.test(lower);
  const canonical =
    port === undefined || (port === defaultPort && !bareWord) ? lower : `${lower}:${port}`;
  return HUB_ALIASES.includes(canonical) ? HUB : canonical;
}

function canonicalIpv6(text: string, host: string): string {
  const url = URL.parse(`http://${host}`);
  if (url === null) throw malformed(text, 'an IPv6 address in brackets');
  // RFC 4291 §2.5.5.2: an IPv4 address, which has a name of its own.
  if (url.hostname.startsWith('[::ffff:')) throw malformed(text, 'an IPv4 address without IPv6');
  return url.hostname;
}

/** `127.1` and `0x7f.1` lead where `127.0.0.1` does, and would be other names of what is there. */
function requirePlainIpv4(text: string, host: string): void {
  if (!/(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/.test(host)) return;
  if (URL.parse(`http://${host}`)?.hostname !== host) {
    throw malformed(text, 'an IPv4 address of four plain numbers');
  }
}

function parseLayout(text: string): LayoutReference {
  const rest = text.slice('oci:'.length);
  const at = rest.lastIndexOf('@');
  const isDigested = at !== -1 && /^@sha(?:256|512):/.test(rest.slice(at));
  const digest = isDigested ? parseDigest(rest.slice(at + 1), 'the reference') : undefined;
  const named = isDigested ? rest.slice(0, at) : rest;
  const colon = named.indexOf(':');
  const path = colon === -1 ? named : named.slice(0, colon);
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  if (path === '' || path.includes('\0')) throw malformed(text, 'a path after oci:');
  if (tag !== undefined && !LAYOUT_REF.test(tag) && !isTag(tag)) {
    throw malformed(text, 'a reference name after the path');
  }
  return {
    kind: 'layout',
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function malformed(text: string, expected: string): TrustFault {
  return new TrustFault('reference.malformed', `expected ${expected}, found ${quote(text)}`);
}
