import { optional, readFields, required } from '@bulla/trust/bytes/yaml/fields';
import {
  addProblem,
  listOf,
  memberOf,
  oneOf,
  type Read,
  type YamlCursor,
} from '@bulla/trust/bytes/yaml/read';
import { isLoopbackHost } from '@bulla/trust/oci/loopback';
import { originOf } from './address.ts';
import type { ListenConfig, TlsConfig } from './config.ts';

const UNKNOWN = 'config.unknown-member';
const readUrl = originOf('an address such as https://127.0.0.1:5443');

/** The addresses to listen on, at least one and none twice. */
export function listenOf(readPath: Read<string>): Read<readonly ListenConfig[]> {
  const readTls = tlsOf(readPath);
  const readAll = listOf((at) => readListener(at, readTls), { min: 1, max: 32 });
  return (at) => {
    const listeners = readAll(at);
    if (listeners === undefined) return undefined;
    const urls = listeners.map(({ url }) => url);
    const twice = urls.find((url, index) => urls.indexOf(url) !== index);
    if (twice === undefined) return listeners;
    return addProblem(at, `expected each address once at ${at.place.path}, found ${twice} twice`);
  };
}

function readListener(at: YamlCursor, readTls: Read<TlsConfig>): ListenConfig | undefined {
  const fields = readFields(at, { url: required(readUrl), tls: optional(readTls, null) }, UNKNOWN);
  if (fields === undefined) return undefined;
  const { url, tls } = fields;
  const secure = url.protocol === 'https:';
  if (!secure && tls !== null) {
    return addProblem(memberOf(at, 'tls'), `tls is for https:// addresses, found ${url.origin}`);
  }
  // Semantics 20.
  if (!secure && !isLoopbackHost(url.hostname)) {
    const message = `expected https:// or a loopback address at ${at.place.path}.url, found ${url.origin}`;
    return addProblem(memberOf(at, 'url'), message, { code: 'http.plain-not-loopback' });
  }
  // Written out, as `new URL` leaves a scheme's own port away.
  return { url: `${url.protocol}//${url.hostname}:${portOf(url)}`, tls };
}

function portOf({ port, protocol }: URL): string {
  return port === '' ? (protocol === 'https:' ? '443' : '80') : port;
}

/** Whoever names an authority means that certificates are needed. */
const CLIENT_AUTH: TlsConfig['clientAuth'] = 'required';
const readClientAuth: Read<TlsConfig['clientAuth']> = oneOf(['required', 'optional']);

function tlsOf(readPath: Read<string>): Read<TlsConfig> {
  return (at) => {
    const fields = readFields(
      at,
      {
        certificate: required(readPath),
        key: required(readPath),
        clientCa: optional(readPath, null),
        clientAuth: optional(readClientAuth, CLIENT_AUTH),
      },
      UNKNOWN,
    );
    const auth = memberOf(at, 'clientAuth');
    if (auth.node !== undefined && memberOf(at, 'clientCa').node === undefined) {
      return addProblem(auth, `clientAuth needs clientCa beside it at ${at.place.path}`);
    }
    return fields;
  };
}
