import { Type } from 'typebox';
import type { ApiRoute } from '../http/api/route.ts';
import { type OverviewParts, overviewOf, policiesOf } from './service.ts';

const TEXTS = Type.Array(Type.String());
const NULLABLE = Type.Union([Type.String(), Type.Null()]);
const COUNT = Type.Integer({ minimum: 0 });

const OVERVIEW = Type.Object({
  version: Type.String(),
  startedAt: Type.String(),
  origin: NULLABLE,
  addresses: TEXTS,
  caCertificate: NULLABLE,
  services: Type.Array(Type.Object({ name: Type.String(), state: Type.String() })),
  storage: Type.Object({ tables: Type.String(), objects: Type.String() }),
  policies: Type.Object({
    count: COUNT,
    hash: NULLABLE,
    warnings: TEXTS,
    starter: Type.Boolean(),
  }),
  checks: Type.Array(Type.Object({ name: Type.String(), ok: Type.Boolean() })),
  counts: Type.Object({
    admitted24h: COUNT,
    denied24h: COUNT,
    warned24h: COUNT,
    audited24h: COUNT,
  }),
  breakGlassInForce: Type.Integer({
    minimum: 0,
    description: 'Break-glass documents that hold now',
  }),
  openReviews: Type.Integer({
    minimum: 0,
    description: 'Uses of break-glass that nobody has reviewed yet',
  }),
  anonymousPull: Type.String(),
});

const POLICIES = Type.Object({
  hash: NULLABLE,
  loadedAt: Type.String(),
  policies: Type.Array(
    Type.Object({
      name: Type.String(),
      mode: Type.String(),
      fileMode: Type.String(),
      hash: Type.String(),
      file: NULLABLE,
      description: NULLABLE,
      images: TEXTS,
      exclude: TEXTS,
      surfaces: TEXTS,
      authorities: Type.Array(
        Type.Object({ name: Type.String(), kind: Type.String(), supported: Type.Boolean() }),
      ),
      clauses: Type.Array(
        Type.Object({
          path: Type.String({ description: 'As exceptions name it' }),
          digest: Type.String({ description: 'Of what it says now' }),
        }),
      ),
    }),
  ),
  files: Type.Array(Type.Object({ file: Type.String(), text: Type.String() })),
  problems: Type.Array(Type.Object({ code: Type.String(), message: Type.String() })),
  warnings: TEXTS,
});

/** Routes of the overview and of the policies in force. */
export function overviewRoutes(parts: OverviewParts): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/overview',
      needs: 'overview.read',
      summary: 'What is running, on which storage, and which policies are in force',
      answer: OVERVIEW,
      handle: () => overviewOf(parts),
    },
    {
      method: 'GET',
      path: '/policies',
      needs: 'policies.read',
      summary: 'The policies in force, with the text of their files',
      answer: POLICIES,
      handle: async () => policiesOf(parts),
    },
  ];
}
