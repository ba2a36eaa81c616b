import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Door, HttpReply, HttpRequest } from '../http/exchange.ts';
import type { Console, ConsoleFile, FileForm } from './service.ts';

/**
 * Nothing but this origin's own files and API; no inline script, no style in the markup, no frame.
 * `data:` is for icons that a style sheet draws.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
} as const;

/** The page's own paths: a first segment, and what may follow it, slashes included. */
const PAGES: Readonly<Record<`/${string}`, RegExp>> = {
  '/': /^$/,
  '/sign-in': /^$/,
  '/decisions': /^(?:[0-9A-Za-z]{1,64})?$/,
  '/exceptions': /^(?:sha256:[0-9a-f]{64})?$/,
  // A repository's name has slashes of its own, and its registry may have a port.
  '/repositories': /^(?:[\w.:-]{1,255}(?:\/[\w.-]{1,255}){0,31})?$/,
  '/policies': /^(?:[\w.-]{1,253})?$/,
  '/simulations': /^(?:[0-9A-Za-z]{1,64})?$/,
  '/streams': /^(?:[a-z0-9-]{1,63})?$/,
  '/record': /^$/,
  '/users': /^$/,
  '/tokens': /^$/,
  '/activity': /^$/,
  '/account': /^$/,
};

/** The doors of the console: one for each first segment of a page, and one for each file's. */
export function consoleDoors(console: Console): readonly Door[] {
  const pages = Object.entries(PAGES).map(([prefix, rest]) =>
    door(`/${prefix.slice(1)}`, ({ segments }) =>
      rest.test(segments.join('/')) ? (console.page ?? 'not built') : null,
    ),
  );
  const prefixes = new Set([...console.files.keys()].map((path) => path.split('/')[1] ?? ''));
  const files = [...prefixes].map((first) =>
    door(
      `/${first}`,
      ({ segments }) => console.files.get(`/${[first, ...segments].join('/')}`) ?? null,
    ),
  );
  return [...pages, ...files];
}

type Find = (request: HttpRequest) => ConsoleFile | 'not built' | null;

function door(prefix: `/${string}`, find: Find): Door {
  return {
    prefix,
    name: 'console',
    headers: HEADERS,
    async handle(request) {
      const found = find(request);
      if (found === null) throw new TrustFault('http.not-found', 'the console has no such page');
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        const fault = new TrustFault('http.method-unsupported', `no ${quote(request.method)} here`);
        const reply = refuse(fault);
        return { ...reply, headers: { ...reply.headers, allow: 'GET, HEAD' } };
      }
      return found === 'not built' ? notBuilt() : answer(found, request);
    },
    refuse,
  };
}

function answer(file: ConsoleFile, request: HttpRequest): HttpReply {
  const form = formFor(file, request.header('accept-encoding'));
  const headers = {
    'content-type': file.contentType,
    'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: form.etag,
    vary: 'accept-encoding',
    ...(form.encoding === 'identity' ? {} : { 'content-encoding': form.encoding }),
  };
  if (isHeld(form, request.header('if-none-match'))) return { status: 304, headers };
  return {
    status: 200,
    headers: { ...headers, 'content-length': form.bytes.length },
    body: form.bytes,
  };
}

/** The smallest form that the client reads (RFC 9110 §12.5.3); the plain one when it names none. */
function formFor({ plain, compressed }: ConsoleFile, accept = ''): FileForm {
  const refused = /;\s*q=0(?:\.0*)?$/;
  const named = accept.split(',').map((part) => part.trim().toLowerCase());
  const reads = new Set(
    named.filter((part) => !refused.test(part)).map((part) => part.replace(/\s*;.*$/, '')),
  );
  return compressed.find(({ encoding }) => reads.has(encoding)) ?? plain;
}

/** Whether the client has this very form; a proxy may have made its tag weak (RFC 9110 §13.1.2). */
function isHeld({ etag }: FileForm, noneMatch = ''): boolean {
  return noneMatch
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''))
    .some((tag) => tag === '*' || tag === etag);
}

function notBuilt(): HttpReply {
  return page(503, 'The console is not built', [
    'This server runs from a clone in which the console was never built. Run <code>npm run build</code> there and start the server again.',
    'Everything else works: the registry, the product API below <code>/api/bulla/v1</code>, and the command line tool.',
  ]);
}

function refuse(error: Error): HttpReply {
  const fault = asFault(error);
  switch (fault.code) {
    case 'http.not-found':
      return page(404, 'There is no such page', ['<a href="/">Go to the overview</a>']);
    case 'http.method-unsupported':
      return page(405, 'This path is a page', ['It can be read with GET only.']);
    case 'http.path-invalid':
    case 'http.request-invalid':
    case 'http.body-cut':
      return page(400, 'This request cannot be read', ['<a href="/">Go to the overview</a>']);
    default:
      return page(500, 'The page cannot be served', ['The server’s log says why.']);
  }
}

/** A page of fixed words, readable without a style sheet. */
function page(status: number, title: string, paragraphs: readonly string[]): HttpReply {
  const body = paragraphs.map((text) => `<p>${text}</p>`).join('\n');
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    body: `<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${title} · Bulla</title></head>\n<body>\n<h1>${title}</h1>\n${body}\n</body>\n</html>\n`,
  };
}
