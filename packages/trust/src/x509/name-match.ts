import { equalBytes } from '../bytes/byte-string.ts';
import { derChildren, readDer } from '../bytes/der.ts';

/** Tags of the GeneralNames whose constraints Bulla knows (RFC 5280 §4.2.1.6). */
export const NAME = { email: 0x81, dns: 0x82, uri: 0x86, address: 0x87, directory: 0xa4 } as const;

/**
 * Whether a name lies in the subtree of a constraint of the same kind (RFC 5280 §4.2.1.10). Null
 * when it cannot be told: kinds that are not known, and URIs without a host name, which the clause
 * refuses. Throws `der.malformed` for a directory name that is none.
 */
export function constraintMatches(
  tag: number,
  name: Uint8Array,
  constraint: Uint8Array,
): boolean | null {
  switch (tag) {
    case NAME.email:
      return emailMatches(text(name), text(constraint));
    case NAME.dns:
      return dnsMatches(text(name), text(constraint));
    case NAME.uri:
      return uriMatches(text(name), text(constraint));
    case NAME.address:
      return addressMatches(name, constraint);
    case NAME.directory:
      return directoryMatches(name, constraint);
    default:
      return null;
  }
}

function text(content: Uint8Array): string {
  return Buffer.from(content).toString('latin1');
}

function hostMatches(host: string, constraint: string): boolean {
  const [left, right] = [host.toLowerCase(), constraint.toLowerCase()];
  // A leading period: one or more labels before it, not the domain itself.
  return right.startsWith('.') ? left.endsWith(right) && left !== right : left === right;
}

/** A mailbox, all mailboxes of a host, or all of a domain's hosts. */
function emailMatches(name: string, constraint: string): boolean {
  const at = name.lastIndexOf('@');
  const split = constraint.lastIndexOf('@');
  const host = name.slice(at + 1);
  if (split < 0) return at > 0 && hostMatches(host, constraint);
  return (
    name.slice(0, at) === constraint.slice(0, split) &&
    host.toLowerCase() === constraint.slice(split + 1).toLowerCase()
  );
}

/** Zero or more labels in front of the constraint; an empty one holds every name. */
function dnsMatches(name: string, constraint: string): boolean {
  const [left, right] = [name.toLowerCase(), constraint.toLowerCase()];
  if (right === '' || left === right) return true;
  return left.endsWith(right.startsWith('.') ? right : `.${right}`);
}

/** Only the host counts, and it must be a name. */
function uriMatches(name: string, constraint: string): boolean | null {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(name)?.[1];
  const host = authority?.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '') ?? '';
  if (host === '' || host.startsWith('[') || /^[\d.]+$/.test(host)) return null;
  return hostMatches(host, constraint);
}

function addressMatches(address: Uint8Array, constraint: Uint8Array): boolean {
  const size = address.length;
  if (constraint.length !== 2 * size) return false;
  return address.every((octet, at) => {
    const mask = constraint[size + at] ?? 0xff;
    return (octet & mask) === ((constraint[at] ?? 0) & mask);
  });
}

/** The constraint's RDNs are the first ones of the name, byte by byte. */
function directoryMatches(name: Uint8Array, constraint: Uint8Array): boolean {
  const where = 'directory name';
  const parts = derChildren(readDer(name, where), where);
  const wanted = derChildren(readDer(constraint, where), where);
  return wanted.every((part, at) => {
    const found = parts[at];
    return found !== undefined && equalBytes(found.raw, part.raw);
  });
}
