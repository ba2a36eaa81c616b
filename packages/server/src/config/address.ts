import { addProblem, addUnexpected, type Read, readText } from '@bulla/trust/bytes/yaml/read';
import { isLoopbackHost } from '@bulla/trust/oci/loopback';

/** An http(s) URL of nothing but scheme, host and port, as `new URL` writes its origin. */
export function originOf(expected: string): Read<URL> {
  return (at) => {
    const text = readText(at);
    if (text === undefined) return undefined;
    const url = URL.canParse(text) ? new URL(text) : null;
    const isBare =
      url !== null &&
      /^https?:$/.test(url.protocol) &&
      `${url.username}${url.pathname}${url.search}${url.hash}` === '/' &&
      url.password === '';
    return isBare ? url : addUnexpected(at, expected);
  };
}

/** The server's public origin: https, or http where it is this machine. Without a slash at its end. */
export const readOrigin: Read<string> = (at) => {
  const url = originOf('an origin such as https://bulla.example')(at);
  if (url === undefined) return undefined;
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    return addProblem(at, `expected https:// at ${at.place.path}, found ${url.origin}`);
  }
  return url.origin;
};
