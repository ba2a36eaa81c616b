import { looksLikeToken } from './secrets.ts';

/** What an `Authorization` header gives. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly name: string; readonly password: string }
  /** An API token, as a Bearer or as the password of Basic beside whatever name. */
  | { readonly kind: 'api-token'; readonly scheme: 'basic' | 'bearer'; readonly secret: string }
  | { readonly kind: 'bearer'; readonly token: string }
  /** A scheme that is not spoken here, or one that does not follow its grammar. */
  | { readonly kind: 'unreadable' };

const HEADER = /^(basic|bearer) +([A-Za-z0-9._~+/=-]{1,32768})$/i;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The credentials of a header (RFC 7617, RFC 6750); undefined stands for no header. */
export function parseAuthorization(header: string | undefined): Credentials {
  if (header === undefined) return { kind: 'none' };
  const [, scheme, value] = HEADER.exec(header) ?? [];
  if (scheme === undefined || value === undefined) return { kind: 'unreadable' };
  if (scheme.toLowerCase() === 'basic') return basic(value);
  return looksLikeToken(value)
    ? { kind: 'api-token', scheme: 'bearer', secret: value }
    : { kind: 'bearer', token: value };
}

function basic(value: string): Credentials {
  let text: string;
  try {
    text = utf8.decode(Buffer.from(value, 'base64'));
  } catch {
    return { kind: 'unreadable' };
  }
  const colon = text.indexOf(':');
  if (colon === -1) return { kind: 'unreadable' };
  return passwordCredentials(text.slice(0, colon), text.slice(colon + 1));
}

/** A name and a password, which may be an API token beside whatever name. */
export function passwordCredentials(name: string, password: string): Credentials {
  return looksLikeToken(password)
    ? { kind: 'api-token', scheme: 'basic', secret: password }
    : { kind: 'basic', name, password };
}
