import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before } from 'node:test';
import { decide } from '@bulla/trust/decide';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { writeDossier } from '@bulla/trust/decide/dossier';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { type CelRunner, openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import { parsePolicies } from '@bulla/trust/policy/parse';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { parsePolicyKey } from '@bulla/trust/policy/public-key';
import { policySet, readyPolicy } from '@bulla/trust/policy/ready';
import {
  createImpact,
  IMPACT_LIMITS,
  type ImpactLimits,
  type ImpactService,
} from '../../src/impact/service.ts';
import { tagRefusal } from '../../src/wiring/impact.ts';
import { made, openRoom, type RoomUnderTest } from '../record/room.ts';

const VECTORS = new URL('../../../../vectors/cosign/', import.meta.url);
export const ANN = { kind: 'user', id: 'u1', name: 'ann' } as const;
export const REPOSITORY = 'registry.example/shop/web';

export function policyText(require: string, more = '', name = 'prod'): string {
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: ${name} }
spec:
  images: [{ glob: "**" }]
  authorities: { dev: { key: { ref: dev.pub } }, qa: { key: { ref: qa.pub } } }
  require: ${require}
${more}`;
}

export const EITHER = policyText('{ signed: { of: [dev, qa] } }');
export const keys: Record<string, string> = {};
let runner: CelRunner;
/** The policies in force, by `EITHER`. */
export let inForce: PolicySet;
/** Policies that ask for an attestation. */
export let attesting: PolicySet;

before(async () => {
  runner = openExpressionRunner();
  keys['dev.pub'] = await readFile(new URL('keys/p256.pub', VECTORS), 'utf8');
  keys['qa.pub'] = await readFile(new URL('keys/second.pub', VECTORS), 'utf8');
  const parsed = ['dev', 'qa'].map(
    (name) => [name, parsePolicyKey(Buffer.from(keys[`${name}.pub`] ?? ''), name)] as const,
  );
  const setOf = (text: string) => {
    const [policy] = parsePolicies(Buffer.from(text), 'prod.yaml').policies;
    assert.ok(policy !== undefined);
    return policySet([readyPolicy(policy, { keys: new Map(parsed), trustRoots: new Map() })]);
  };
  inForce = setOf(EITHER);
  attesting = setOf(policyText('{ attested: { type: slsaprovenance1, by: [dev] } }'));
});

after(() => runner[Symbol.asyncDispose]());

export interface Scene extends AsyncDisposable {
  readonly room: RoomUnderTest;
  readonly impact: ImpactService;
  /** Keeps a decision about the image under this tag of the fixtures, p256 being signed by dev. */
  decided(tag: string, more?: DecidedShape): Promise<string>;
}

interface DecidedShape {
  readonly surface?: 'pull' | 'admission';
  readonly namespace?: string;
  readonly evidence?: false;
  readonly excepted?: true;
  /** Asked for by its digest, after somebody asked for the tag. */
  readonly byDigest?: true;
  /** By policies that ask for an attestation of dev, about an image that has some. */
  readonly attested?: true;
}

export async function openScene(
  limits: Partial<ImpactLimits> = {},
  now = () => performance.now(),
  expressions = runner,
  policies: PolicySet = inForce,
): Promise<Scene> {
  const room = await openRoom();
  const clock = () => new Date(room.time.ms);
  let ids = 0;
  const impact = createImpact({
    tables: room.tables,
    record: room.record,
    policies: () => policies,
    expressions: () => expressions,
    refusesTag: (set, scope) =>
      tagRefusal({ pin: 'tag-and-digest', nodesPullThrough: false }, set, scope),
    limits: { ...IMPACT_LIMITS, ...limits },
    newId: (at) => newDecisionId(at, Buffer.alloc(10, ++ids)),
    clock,
    now,
  });
  return {
    room,
    impact,
    async decided(tag, { surface = 'pull', namespace = null as string | null, ...more } = {}) {
      room.time.ms += 1000;
      const at = clock();
      const id = newDecisionId(at, Buffer.alloc(10, ++ids));
      const file = more.attested === true ? 'cosign-attestations.tar' : 'cosign-key-legacy';
      const layout = new URL(`oci/${file}`, VECTORS).pathname;
      const { decision, dossier } = await decide({
        id,
        reference: `${REPOSITORY}:${tag}`,
        scope: { repository: REPOSITORY, surface, namespace, environment: null },
        ...{ tag, digest: null, platform: null, parents: [], problem: null, rollback: null },
        source: await openStore(parseReference(`oci:${layout}:${tag}`), {
          env: {},
          homeFolder: '/nonexistent',
        }),
        policies: more.attested === true ? attesting : inForce,
        expressions: () => runner,
        lastPass: async () => null,
        at,
        now: () => performance.now(),
      });
      const exceptions = [
        {
          ...{
            id: `sha256:${'1'.repeat(64)}` as const,
            name: 'hotfix',
            kind: 'exception' as const,
          },
          ...{ requester: 'ann', approver: 'bob', reason: 'tonight', expires: at },
          ...{ policy: 'prod', clauses: ['require'] },
        },
      ];
      const lifted = more.excepted === true ? { outcome: 'admit' as const, exceptions } : {};
      const given = made(
        {
          ...decision,
          ...lifted,
          ...(more.byDigest === true
            ? { tag: null, reference: `${REPOSITORY}@${decision.digest}` }
            : {}),
        },
        { at, ...(more.evidence === false ? {} : { dossier: writeDossier(dossier) }) },
      );
      await room.record.keep(given);
      return id;
    },
    [Symbol.asyncDispose]: () => room[Symbol.asyncDispose](),
  };
}

export const simulating = (text: string, more = {}) => ({
  days: 7,
  candidate: {
    documents: [{ file: 'new.yaml', text }],
    keys: {},
    trustRoots: {},
    remove: [],
    ...more,
  },
});

/** What is stored is JSON. */
// biome-ignore lint/suspicious/noExplicitAny: its members are asserted on
export type Stored = any;
