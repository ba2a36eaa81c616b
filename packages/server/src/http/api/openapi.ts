import { propertyNames } from './checked.ts';
import type { ApiRoute } from './route.ts';

/** What the document says of the API as a whole. */
export interface ApiInfo {
  readonly title: string;
  readonly version: string;
}

const JSON_TYPE = 'application/json';
const PROBLEM_TYPE = 'application/problem+json';

/**
 * The OpenAPI 3.1 document of the routes, as plain JSON: one operation a route with its parameters,
 * body, answer and what it needs (`x-bulla-needs`). The same routes give the same document.
 */
export function openApiDocument(routes: readonly ApiRoute[], info: ApiInfo): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes.toSorted((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1))) {
    const path = route.path.replace(/:([a-zA-Z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info,
    servers: [{ url: '/api/bulla/v1' }],
    paths,
    components: {
      schemas: { Problem: PROBLEM },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An API token' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-bulla-session',
          description: "The console's sign-in; changes need the same origin",
        },
      },
    },
  };
}

function placeOf({ path, method }: ApiRoute): string {
  return `${path} ${method}`;
}

const PROBLEM = {
  type: 'object',
  required: ['status', 'code', 'message', 'remedy'],
  properties: {
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable: docs/errors.md lists them' },
    message: { type: 'string' },
    remedy: { type: 'string' },
  },
} as const;

function operation(route: ApiRoute): object {
  const { method, path, needs, summary, body, answer } = route;
  return {
    operationId: operationId(method, path),
    summary,
    'x-bulla-needs': needs,
    security: needs === 'public' ? [] : [{ token: [] }, { session: [] }],
    parameters: [...pathParameters(path), ...queryParameters(route)],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { [JSON_TYPE]: { schema: body } } } }),
    responses: {
      ...(answer === undefined
        ? { '2XX': { description: 'Done, or a stream' } }
        : { 200: { description: 'Done', content: { [JSON_TYPE]: { schema: answer } } } }),
      default: {
        description: 'Refused, with the reason and what to do',
        content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

/** `GET /tokens/:id` → `getTokensById` */
function operationId(method: string, path: string): string {
  const words = path
    .slice(1)
    .split('/')
    .flatMap((part) => {
      const named = part.startsWith(':') ? ['by', part.slice(1)] : part.split(/[._-]/);
      return named.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
    });
  return `${method.toLowerCase()}${words.join('')}`;
}

function pathParameters(path: string): readonly object[] {
  return [...path.matchAll(/:([a-zA-Z]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1 },
  }));
}

function queryParameters({ query }: ApiRoute): readonly object[] {
  if (query === undefined) return [];
  const properties: object = 'properties' in query ? Object(query.properties) : {};
  const needed: unknown = 'required' in query ? query.required : [];
  return [...propertyNames(query)].map((name) => ({
    name,
    in: 'query',
    required: Array.isArray(needed) && needed.includes(name),
    schema: Object.entries(properties).find(([key]) => key === name)?.[1] ?? {},
  }));
}
