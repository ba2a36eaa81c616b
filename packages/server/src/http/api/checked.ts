import { parseJson } from '@bulla/trust/bytes/json';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { readBody } from '../body.ts';
import type { HttpRequest } from '../exchange.ts';
import { isJson } from './same-origin.ts';

/** Returns a value that its schema admits. Throws `http.request-invalid`, naming where it does not. */
type Check = (value: unknown) => unknown;

const BODY_MOST_BYTES = 1 << 20;
const PROBLEMS_MOST = 5;

/** What a route takes, with its schemas compiled. */
export interface CheckedInput {
  readonly query: (request: HttpRequest) => Readonly<Record<string, string>>;
  readonly body: (request: HttpRequest) => Promise<unknown>;
}

/**
 * Readers of a route's query and body. A parameter given twice, one that the schema does not name,
 * and a body where none is taken are `http.request-invalid`; a body that is not JSON is
 * `http.media-type`, and one over 1 MiB `http.body-too-large`. `json.*` for what is no JSON.
 */
export function checkInput(schemas: {
  readonly query?: TSchema;
  readonly body?: TSchema;
}): CheckedInput {
  const names = propertyNames(schemas.query);
  const checkQuery = schemas.query === undefined ? null : compile(schemas.query, 'the query');
  const checkBody = schemas.body === undefined ? null : compile(schemas.body, 'the body');
  return {
    query({ query }) {
      const found: Record<string, string> = {};
      for (const [name, value] of query) {
        if (!names.has(name)) throw invalid(`the query has no ${quote(name)}`);
        if (Object.hasOwn(found, name)) throw invalid(`the query has ${quote(name)} twice`);
        found[name] = value;
      }
      checkQuery?.(found);
      return found;
    },
    async body(request) {
      if (checkBody === null) {
        if (request.hasBody) throw invalid('expected no body');
        return undefined;
      }
      if (!isJson(request)) {
        const found = quote(request.header('content-type') ?? '');
        throw new TrustFault('http.media-type', `expected application/json, found ${found}`);
      }
      const bytes = await readBody(request, BODY_MOST_BYTES);
      return checkBody(parseJson(bytes, 'the body', { maxBytes: BODY_MOST_BYTES }));
    },
  };
}

/** The names that an object schema lists; none when it lists none. */
export function propertyNames(schema: object | undefined): ReadonlySet<string> {
  const listed = schema !== undefined && 'properties' in schema ? schema.properties : null;
  return new Set(typeof listed === 'object' && listed !== null ? Object.keys(listed) : []);
}

function compile(schema: TSchema, what: string): Check {
  const validator = Compile(schema);
  return (value) => {
    if (validator.Check(value)) return value;
    const errors = validator.Errors(value).slice(0, PROBLEMS_MOST);
    const problems = errors.map(({ instancePath, message }) =>
      instancePath === '' ? message : `${quote(instancePath)} ${message}`,
    );
    throw invalid(`${what} is not what the route takes: ${problems.join('; ')}`);
  };
}

function invalid(message: string): TrustFault {
  return new TrustFault('http.request-invalid', message);
}
