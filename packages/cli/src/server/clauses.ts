import { asArray, asString, type Cursor, member } from '@bulla/trust/bytes/shape';
import { asDigest } from '@bulla/trust/oci/descriptor';
import type { BoundClause } from '@bulla/trust/policy/exceptions/document';
import type { KnownClauses } from '../options/exception-clauses.ts';
import type { Api } from './api.ts';
import { answer } from './parse.ts';

/** What exceptions can lift of the policies in force at a server. Throws `server.*`. */
export async function clausesInForce(api: Api): Promise<KnownClauses> {
  const document = await api.json({ method: 'GET', path: ['policies'] });
  const policies = asArray(
    member(answer(document), 'policies'),
    (at) => [asString(member(at, 'name')), asArray(member(at, 'clauses'), asClause)] as const,
  );
  return { of: new Map(policies), where: `in force at ${api.origin ?? 'the server'}` };
}

function asClause(at: Cursor): BoundClause {
  return { path: asString(member(at, 'path')), digest: asDigest(member(at, 'digest')) };
}
