import { Readable } from 'node:stream';
import { OPERATOR } from '../../src/access/actor.ts';
import { ACCESS_CONFIG, type AccessConfig } from '../../src/access/config.ts';
import { type AccessService, createAccess } from '../../src/access/service.ts';
import type { HttpRequest } from '../../src/http/exchange.ts';
import type { Role } from '../../src/http/principal.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import type { RowStore } from '../../src/storage/store.ts';

export const PASSWORD = 'correct horse battery';

/** Access on a new database, with a clock that stands until it is moved. */
export interface Setting extends AsyncDisposable {
  readonly access: AccessService;
  readonly store: RowStore;
  clock(): Date;
  pass(ms: number): void;
  /** Another process on the same store. */
  replica(): AccessService;
}

export async function setUp(
  config: Partial<AccessConfig> = {},
  path = ':memory:',
): Promise<Setting> {
  return openSetting(await openSqlite(path), config);
}

/** Access on a store, which the setting closes. */
export async function openSetting(
  store: RowStore,
  config: Partial<AccessConfig> = {},
): Promise<Setting> {
  let time = Date.parse('2026-11-21T12:00:00.000Z');
  const clock = () => new Date(time);
  await migrate(store, { clock });
  const { tables, registers } = store;
  const parts = { tables, registers, config: { ...ACCESS_CONFIG, ...config } };
  const open = () => createAccess({ ...parts, clock, now: () => time });
  return {
    access: open(),
    replica: open,
    store,
    clock,
    pass(ms) {
      time += ms;
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** A user of this role who has set `PASSWORD`. */
export async function addUser(
  { access }: Pick<Setting, 'access'>,
  name: string,
  role: Role,
  password = PASSWORD,
) {
  const { user, link } = await access.addUser(OPERATOR, { name, role });
  const session = await access.useLink({ link: link.secret, password });
  return { ...user, hasPassword: true, session };
}

/** What is special about a request. */
export interface RequestOptions extends Partial<Omit<HttpRequest, 'header' | 'body' | 'query'>> {
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: string;
}

/** A request as a listener on loopback gives it. */
export function request(options: RequestOptions = {}): HttpRequest {
  const { headers = {}, query = '', body, ...rest } = options;
  return {
    id: 'test',
    method: 'GET',
    segments: [],
    query: new URLSearchParams(query),
    header: (name) => headers[name],
    contentLength: body === undefined ? null : Buffer.byteLength(body),
    hasBody: body !== undefined,
    body: () => Readable.from(body === undefined ? [] : [Buffer.from(body)]),
    remoteAddress: '127.0.0.1',
    secure: false,
    host: '127.0.0.1:5000',
    listener: 'http://127.0.0.1:5000',
    clientCertificate: null,
    ...rest,
  };
}

/** The value of an `Authorization` header for Basic. */
export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}
