import { parseJson } from '@bulla/trust/bytes/json';
import {
  asObject,
  asString,
  type Cursor,
  cursor,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import { TrustFault } from '@bulla/trust/fault/fault';
import { canonicalHost } from '../reach/hosts.ts';

/** One entry of a pull secret, as the kubelet reads it. */
export interface PullEntry {
  /** `HOST[:PORT][/PATH]` without scheme; the host may have `*` within its labels. */
  readonly key: string;
  readonly username: string;
  readonly password: string;
}

/** What a pull secret's type says of its form. */
export type DockerConfigForm = 'dockerconfigjson' | 'dockercfg';

/**
 * The entries of a pull secret. An entry without a name and a password is none, as for the kubelet.
 * Throws `kubernetes.answer-invalid` for what is no such file; no message shows any of it.
 */
export function parseDockerConfig(bytes: Uint8Array, form: DockerConfigForm): readonly PullEntry[] {
  let at: Cursor;
  try {
    at = cursor(
      parseJson(bytes, 'the pull secret'),
      'the pull secret',
      'kubernetes.answer-invalid',
    );
  } catch {
    // Without its cause: a parser's message quotes the text.
    throw new TrustFault('kubernetes.answer-invalid', 'the pull secret is not JSON');
  }
  const auths = form === 'dockercfg' ? at : member(at, 'auths');
  return Object.keys(optional(auths, asObject) ?? {}).flatMap((location) => {
    const key = keyOf(location);
    const login = key === null ? null : loginOf(member(auths, location));
    return key === null || login === null ? [] : [{ key, ...login }];
  });
}

/**
 * kubelet, pkg/credentialprovider/keyring.go, `Add`: a scheme and `/v1` or `/v2` before the path say
 * nothing. Null for what is no URL, which the kubelet passes over.
 */
function keyOf(location: string): string | null {
  const found = /^(?:https?:\/\/)?([^/?#@\s]+)(\/[^?#\s]*)?$/.exec(location);
  if (found === null) return null;
  const [, host = '', path = ''] = found;
  const rest = path.replace(/^\/v[12](?=\/)/, '').replace(/\/+$/, '');
  return `${host.toLowerCase()}${rest}`;
}

function loginOf(at: Cursor): Pick<PullEntry, 'username' | 'password'> | null {
  if (at.value === null) return null;
  const username = optional(member(at, 'username'), asString) ?? '';
  const password = optional(member(at, 'password'), asString) ?? '';
  if (username !== '' && password !== '') return { username, password };
  const auth = optional(member(at, 'auth'), asString) ?? '';
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = text.indexOf(':');
  return colon <= 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * The canonical `HOST[:PORT][/PATH]` of an entry: itself, or for one with `*` each of `hosts` that it
 * matches label by label, as `URLsMatchStr` of the kubelet does. Never a host that it does not name.
 */
export function registriesOf(key: string, hosts: readonly string[]): readonly string[] {
  const slash = key.indexOf('/');
  const host = slash < 0 ? key : key.slice(0, slash);
  const path = slash < 0 ? '' : key.slice(slash);
  const named = /[*?[]/.test(host) ? hosts.filter((one) => matchesHost(host, one)) : [host];
  return named.flatMap((one) => {
    const canonical = canonicalHost(one);
    return canonical === null ? [] : [`${canonical}${path}`];
  });
}

/** Labels one by one, so that `*.example` is never `a.b.example`; ports must be equal. */
function matchesHost(pattern: string, host: string): boolean {
  const [patternName = '', patternPort = ''] = pattern.split(':');
  const [name = '', port = ''] = host.split(':');
  const wanted = patternName.split('.');
  const labels = name.split('.');
  if (patternPort !== port || wanted.length !== labels.length) return false;
  return wanted.every((label, index) => matchesLabel(label, labels[index] ?? ''));
}

/** `*` alone stands for anything: `?` and `[…]`, which the kubelet knows too, match nothing here. */
function matchesLabel(pattern: string, label: string): boolean {
  if (/[?[\\]/.test(pattern)) return false;
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === label;
  const last = rest.pop() ?? '';
  if (!label.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = label.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return label.length - last.length >= from && label.endsWith(last);
}
