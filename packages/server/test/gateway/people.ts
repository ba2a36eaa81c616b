import { TrustFault } from '@bulla/trust/fault/fault';
import { failed, passed } from '@bulla/trust/finding/finding';
import type { Digest } from '@bulla/trust/oci/digest';
import type { Decision } from '@bulla/trust/policy/decision';
import type { Ask } from '../../src/decision/ask.ts';
import type { SignRead } from '../../src/gateway/ports.ts';
import { type GatewayAccess, type GatewayPorts, NO_HISTORY } from '../../src/gateway/ports.ts';
import { mayAct, type Principal, type RepositoryScope } from '../../src/http/principal.ts';

/** A principal with these rights; `nobody` is anonymous. */
export function person(name: string, ...repositories: readonly RepositoryScope[]): Principal {
  const kind = name === 'nobody' ? 'anonymous' : 'user';
  return {
    kind,
    id: `id-${name}`,
    name,
    permissions: new Set(['repositories.read']),
    repositories,
  };
}

/** Access by a table: `Authorization: Bearer NAME`, and `nobody` without. */
export function tableAccess(people: readonly Principal[]): GatewayAccess {
  const may = mayAct;
  return {
    async authorize(request, need) {
      const name = /^Bearer (\w+)$/.exec(request.header('authorization') ?? '')?.[1] ?? 'nobody';
      const found = people.find((one) => one.name === name);
      if (found === undefined) throw new TrustFault('access.unauthenticated', 'who are you?');
      if (need.kind !== 'repository' || may(found, need.repository, need.action)) return found;
      const code = found.kind === 'anonymous' ? 'access.unauthenticated' : 'access.denied';
      throw new TrustFault(code, 'no right');
    },
    may,
    challenge: (_request, need) =>
      need.kind === 'repository'
        ? `Bearer realm="https://here/auth/token",service="here",scope="repository:${need.repository}:${need.action}"`
        : 'Bearer realm="https://here/auth/token",service="here"',
  };
}

/** Everybody may do everything but sign. */
export const OPEN_TABLE_ACCESS: GatewayAccess = tableAccess([
  person('nobody', { repository: '**', actions: ['pull', 'push', 'delete'] }),
]);

/** As `person`, for requests. */
export function as(name: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${name}` };
}

/** What the table decides about each digest; what it does not name is refused. */
export interface DecisionTable {
  readonly admits: Set<string>;
  readonly warnings: Map<string, readonly string[]>;
  readonly asks: Ask[];
  readonly forgotten: string[];
  readonly signReads: SignRead[];
  /** Thrown by the next decision instead of an answer. */
  fault: TrustFault | null;
}

export function decisionTable(): DecisionTable {
  return {
    admits: new Set(),
    warnings: new Map(),
    asks: [],
    forgotten: [],
    signReads: [],
    fault: null,
  };
}

/** Ports that decide by a table: a digest passes by itself, or through a parent that does. */
export function tablePorts(
  table: DecisionTable,
  access: GatewayAccess,
  more: Partial<GatewayPorts> = {},
): GatewayPorts {
  return {
    access,
    history: NO_HISTORY,
    verification: {
      kind: 'policies',
      async decide(ask) {
        table.asks.push(ask);
        if (table.fault !== null) throw table.fault;
        return { decision: decisionOf(table, ask), cache: 'miss' };
      },
      forgetRefusals: (repository) => void table.forgotten.push(repository),
      noteSignRead: async (read) => void table.signReads.push(read),
    },
    ...more,
  };
}

function decisionOf(table: DecisionTable, ask: Ask): Decision {
  const digest: Digest | null =
    'digest' in ask.resolved ? ask.resolved.digest : ask.resolved.remembered;
  const through = [digest, ...ask.parents].some((one) => one !== null && table.admits.has(one));
  const finding = through
    ? passed('policy.signed', 'signed')
    : failed('policy.signed', 'signature.none', 'no signature of "rel\u00e9ase" was found');
  return {
    id: '01JDTESTTESTTESTTESTTESTTE',
    outcome: through ? 'admit' : 'deny',
    reference: ask.reference,
    repository: ask.repository,
    tag: ask.tag,
    digest,
    covers: [],
    surface: 'pull',
    namespace: null,
    environment: null,
    policies: [
      {
        policy: 'prod',
        hash: 'sha256:0',
        mode: 'enforce',
        finding,
        effect: through ? 'pass' : 'deny',
      },
    ],
    finding,
    warnings: table.warnings.get(digest ?? '') ?? [],
    exceptions: [],
    policySetHash: 'sha256:0',
    trustRootVersion: 'sha256:0',
    evidence: [],
    validUntil: null,
    at: new Date('2026-01-01T00:00:00Z'),
    durationMs: 1,
  };
}
