import type { Code } from '@bulla/trust/fault/codes';
import { TrustFault } from '@bulla/trust/fault/fault';
import { readBody } from '../http/body.ts';
import type { Door, HttpReply, HttpRequest } from '../http/exchange.ts';
import { publicFault } from '../http/public-fault.ts';
import { mayPullAnonymously } from './caller.ts';
import { type Credentials, parseAuthorization, passwordCredentials } from './credentials.ts';
import type { IssuedRegistryToken, Subject } from './registry-grant.ts';
import { parseScopeParameters } from './registry-scope.ts';
import type { AccessService } from './service.ts';
import { ANONYMOUS } from './standing.ts';

const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(;|$)/i;
const FORM_BYTES = 32 << 10;
const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;

/**
 * `/auth/token`: registry tokens as the distribution specification has them, by GET with Basic
 * (token.md) and by POST with a form (oauth.md). A password may be an API token, beside whatever
 * name. Cookies are not read. Refresh tokens are not issued; an API token is taken as one, for
 * clients that were given a secret without a name.
 */
export function tokenDoor(access: AccessService): Door {
  return {
    prefix: '/auth',
    async handle(request) {
      const [first, ...rest] = request.segments;
      if (first !== 'token' || rest.length > 0) {
        throw new TrustFault('http.not-found', 'there is only /auth/token');
      }
      switch (request.method) {
        case 'GET':
        case 'HEAD':
          return byQuery(access, request);
        case 'POST':
          return byForm(access, request);
        default:
          throw new TrustFault('http.method-unsupported', `no ${request.method} on /auth/token`);
      }
    },
    refuse,
  };
}

async function byQuery(access: AccessService, request: HttpRequest): Promise<HttpReply> {
  const { query } = request;
  checkService(access, query);
  const asked = parseScopeParameters(query.getAll('scope'));
  const credentials = parseAuthorization(request.header('authorization'));
  const subject =
    credentials.kind === 'none' && mayPullAnonymously(request, access.config)
      ? { principal: ANONYMOUS, expires: null }
      : await subjectOf(access, credentials, request);
  return answer(await access.issueRegistryToken(subject, asked));
}

async function byForm(access: AccessService, request: HttpRequest): Promise<HttpReply> {
  const form = await readForm(request);
  checkService(access, form);
  const asked = parseScopeParameters(form.getAll('scope'));
  const subject = await subjectOf(access, formCredentials(form), request);
  const issued = await access.issueRegistryToken(subject, asked);
  return answer(issued);
}

function formCredentials(form: URLSearchParams): Credentials {
  switch (form.get('grant_type')) {
    case 'password': {
      const name = form.get('username');
      const password = form.get('password');
      if (name !== null && password !== null) return passwordCredentials(name, password);
      throw invalidRequest('expected username and password');
    }
    case 'refresh_token': {
      const credentials = passwordCredentials('', form.get('refresh_token') ?? '');
      if (credentials.kind === 'api-token') return credentials;
      throw new TrustFault(
        'access.grant-unsupported',
        'this server issues no refresh tokens, and takes API tokens as such',
      );
    }
    default:
      throw new TrustFault(
        'access.grant-unsupported',
        'expected grant_type password or refresh_token',
      );
  }
}

async function subjectOf(
  access: AccessService,
  credentials: Credentials,
  { remoteAddress }: HttpRequest,
): Promise<Subject> {
  if (credentials.kind === 'api-token' && credentials.scheme === 'basic') {
    const { whole, expires } = await access.ofToken(credentials.secret);
    return { principal: whole, expires };
  }
  if (credentials.kind === 'basic') {
    const { name, password } = credentials;
    return access.ofPassword({ name, password, address: remoteAddress });
  }
  throw new TrustFault('access.unauthenticated', 'expected Basic with a password or an API token');
}

/** The audience: a client that was sent here by another registry's challenge gets nothing. */
function checkService({ config }: AccessService, parameters: URLSearchParams): void {
  const services = parameters.getAll('service');
  if (services.every((service) => service === config.service)) return;
  throw invalidRequest(`expected service=${config.service}`);
}

async function readForm(request: HttpRequest): Promise<URLSearchParams> {
  if (!FORM_TYPE.test(request.header('content-type') ?? '')) {
    throw invalidRequest('expected a form');
  }
  return new URLSearchParams(Buffer.from(await readBody(request, FORM_BYTES)).toString('utf8'));
}

function invalidRequest(message: string): TrustFault {
  return new TrustFault('access.token-request-invalid', message);
}

function answer({ token, issued, expiresInSeconds, scope }: IssuedRegistryToken): HttpReply {
  const body = {
    // Two names of one thing: clients look for either.
    token,
    access_token: token,
    token_type: 'Bearer',
    expires_in: expiresInSeconds,
    issued_at: issued.toISOString(),
    scope,
  };
  return json(200, body, NO_STORE);
}

/** A fault in the form of the registry, and beside it in that of OAuth 2 (RFC 6749 §5.2). */
function refuse(error: Error): HttpReply {
  const { status, code, message, remedy } = publicFault(error);
  const entry = { code: identifierOf(status), message, detail: { code, remedy } };
  const body = { errors: [entry], error: oauthErrorOf(code, status), error_description: message };
  return json(status, body, {
    ...NO_STORE,
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="bulla", charset="UTF-8"' } : {}),
    ...(status === 405 ? { allow: 'GET, HEAD, POST' } : {}),
    ...(status === 429 ? { 'retry-after': '900' } : {}),
  });
}

function identifierOf(status: number): string {
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 403) return 'DENIED';
  if (status === 429) return 'TOOMANYREQUESTS';
  return status >= 500 ? 'UNKNOWN' : 'UNSUPPORTED';
}

function oauthErrorOf(code: Code, status: number): string {
  if (code === 'access.grant-unsupported') return 'unsupported_grant_type';
  if (code === 'access.scope-malformed') return 'invalid_scope';
  if (status === 401 || status === 403) return 'invalid_grant';
  return status >= 500 ? 'server_error' : 'invalid_request';
}

function json(status: number, body: object, headers: NonNullable<HttpReply['headers']>): HttpReply {
  return {
    status,
    headers: {
      ...headers,
      'content-type': 'application/json',
      'content-security-policy': 'sandbox',
    },
    body: JSON.stringify(body),
  };
}
