import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import { preAuthenticationEncoding } from '@bulla/trust/envelopes/dsse';
import { TrustFault } from '@bulla/trust/fault/fault';
import { type Finding, failed, inconclusive, passed } from '@bulla/trust/finding/finding';
import type { Descriptor } from '@bulla/trust/oci/descriptor';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import type { OnInconclusive, Requirement, TreeMode } from '@bulla/trust/policy/document';
import { evaluatePolicy } from '@bulla/trust/policy/evaluate/evaluate';
import type { ProvenNode, ProvenTree } from '@bulla/trust/policy/evaluate/proven-tree';
import {
  EXCEPTION_PAYLOAD_TYPE,
  type GivenException,
} from '@bulla/trust/policy/exceptions/document';
import { parseException } from '@bulla/trust/policy/exceptions/parse';
import type { ReadyAuthority } from '@bulla/trust/policy/policy-set';
import type { AuthorityAnswer, Wanted } from '@bulla/trust/proof/evidence';
import { attested, policyOf, ready, signed } from '../../policy-lab/policy.ts';
import { keyed } from '../../sigstore-lab/question.ts';
import { type TestKey, testKey } from '../../tlog/synthetic-log.ts';
import {
  effect,
  every,
  holds,
  type Node,
  namesOf,
  type Piece,
  type Rule,
  type World,
} from './naive.ts';

// Policies and evidence drawn by chance, decided by the product and by an evaluator that was written
// from the documentation. BULLA_SEED and BULLA_ROUNDS repeat or prolong a run.

const SEED = Number(process.env['BULLA_SEED'] ?? Date.now() % 1e9);
const ROUNDS = Number(process.env['BULLA_ROUNDS'] ?? 2000);
const NOW = new Date('2026-11-21T12:00:00Z');
const MINUTE = 60_000;
const TYPE = 'https://example.dev/scan/v1';
const NAMES = ['key-a', 'key-b', 'workflow'];
const KEYS = ['1', '2', '3'];
const key = testKey('ecdsa-p256');

const authorities: readonly ReadyAuthority[] = NAMES.map((name) => {
  const authority = ready(keyed(key, name));
  if (name !== 'workflow') return authority;
  const matcher = { text: 'any', matches: () => true };
  const keyless = { kind: 'keyless', name, issuer: matcher, subject: matcher, claims: [] } as const;
  return { ...authority, kind: 'keyless', authority: keyless };
});

/** Numbers that look like chance, the same for the same seed (mulberry32). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

type Roll = ReturnType<typeof dice>;

function pick<T>(roll: Roll, items: readonly T[]): T {
  const item = items[roll(items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** Some of the items, at least one. */
function several<T>(roll: Roll, items: readonly T[]): readonly T[] {
  const found = items.filter(() => roll(2) === 0);
  return found.length === 0 ? [pick(roll, items)] : found;
}

function drawnPiece(roll: Roll): Piece {
  return {
    authority: pick(roll, NAMES),
    type: roll(3) === 0 ? 'statement' : 'signature',
    keys: roll(5) === 0 ? several(roll, KEYS) : [pick(roll, KEYS)],
    age: roll(5) === 0 ? null : roll(4) * 10,
    good: roll(3) > 0,
    text: `${roll(6)}`,
  };
}

function drawnNode(roll: Roll, name: string, children: readonly string[] | null): Node {
  const state = () => pick(roll, ['none', 'none', 'none', 'none', 'away', 'limit'] as const);
  const pieces = Array.from({ length: roll(5) }, () => drawnPiece(roll));
  // What is said to be the same text says the same.
  const alike = pieces.map((piece) => ({ ...piece, good: piece.good && piece.text !== '0' }));
  const byText = new Map(alike.map((piece) => [piece.text, piece.good]));
  return {
    name,
    children,
    pieces: alike.map((piece) => ({ ...piece, good: byText.get(piece.text) ?? piece.good })),
    trouble: { signature: state(), statement: state() },
  };
}

function drawnWorld(roll: Roll): World {
  const leaves = ['l1', 'l2', 'l3'].map((name) => drawnNode(roll, name, null));
  const names = leaves.map(({ name }) => name);
  const inner = drawnNode(roll, 'inner', several(roll, names));
  const children = roll(12) === 0 ? [] : several(roll, [...names, 'inner', 'missing']);
  const index = drawnNode(roll, 'index', children);
  const other = drawnNode(roll, 'other', several(roll, [...names, 'inner']));
  const nodes = new Map([...leaves, inner, index, other].map((node) => [node.name, node]));
  const root = pick(roll, ['index', 'index', 'l1', 'l1', 'inner']);
  const parents =
    root === 'index' || roll(2) === 0 ? [] : several(roll, ['index', 'other', 'gone']);
  const away = ['index', 'other', 'l2', 'inner'].filter((name) => name !== root && roll(8) === 0);
  return { root, nodes, parents, unreachable: new Set(away) };
}

function drawnRule(roll: Roll, depth: number): Rule {
  if (depth > 0 && roll(3) > 0) {
    const parts = Array.from({ length: 1 + roll(3) }, () => drawnRule(roll, depth - 1));
    const rule = pick(roll, ['all', 'any', 'atLeast'] as const);
    return rule === 'atLeast' ? { rule, parts, n: 1 + roll(parts.length) } : { rule, parts };
  }
  const of = several(roll, NAMES);
  const rule = pick(roll, ['signature', 'statement'] as const);
  const isStatement = rule === 'statement';
  return {
    rule,
    of,
    n: 1 + roll(of.length),
    maxAge: isStatement && roll(2) === 0 ? roll(4) * 10 : null,
    isGood: isStatement && roll(3) > 0,
  };
}

function requirementOf(rule: Rule): Requirement {
  if ('parts' in rule) {
    const parts = rule.parts.map(requirementOf);
    return rule.rule === 'atLeast'
      ? { kind: 'atLeast', atLeast: rule.n, parts }
      : { kind: rule.rule, parts };
  }
  if (rule.rule === 'signature') return signed(rule.of, { atLeast: rule.n });
  return attested(TYPE, rule.of, {
    atLeast: rule.n,
    maxAgeMs: rule.maxAge === null ? null : rule.maxAge * MINUTE,
    where: rule.isGood ? 'good' : null,
  });
}

const digestOf = (name: string) => computeDigest(Buffer.from(name));

function answerOf(piece: Piece): AuthorityAnswer {
  const { keys, age, good, text } = piece;
  const predicate = { good, text };
  const authority = authorities.find(({ name }) => name === piece.authority)?.authority;
  if (authority === undefined || authority === null) throw new Error('no such authority');
  return {
    authority,
    finding: passed('piece', text),
    principals: keys,
    time: age === null ? null : new Date(NOW.getTime() - age * MINUTE),
    statement: {
      type: 'https://in-toto.io/Statement/v1',
      subjects: [],
      predicateType: TYPE,
      predicate,
      document: { predicate },
    },
    validUntil: null,
  };
}

const STRANGER: AuthorityAnswer['finding'] = failed('piece', 'signature.none', 'of another');

/** A node as the product proves it: each piece is answered for by each authority. */
function provenNode({ name, children, pieces, trouble }: Node): ProvenNode {
  const problemsOf = (type: Piece['type']): readonly Finding[] => {
    if (trouble[type] === 'none') return [];
    return trouble[type] === 'away'
      ? [inconclusive('evidence', 'registry.timeout', 'no answer')]
      : [failed('evidence', 'registry.limit', 'too much')];
  };
  return {
    digest: digestOf(name),
    children: () =>
      children?.map((child): Descriptor => {
        return {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          digest: digestOf(child),
          size: 1,
        };
      }) ?? null,
    async proof(wanted: Wanted) {
      const type = wanted.kind === 'signature' ? 'signature' : 'statement';
      const found = pieces.filter((piece) => piece.type === type);
      return {
        pieces: found.length,
        problems: problemsOf(type),
        answersOf: ({ name: asked }) =>
          found.map((piece) =>
            piece.authority === asked
              ? answerOf(piece)
              : { ...answerOf(piece), finding: STRANGER, principals: [], statement: null },
          ),
      };
    },
  };
}

function treeOf({ root, nodes, parents, unreachable }: World): ProvenTree {
  const proven = new Map(
    [...nodes.values()].map((node) => [digestOf(node.name), provenNode(node)]),
  );
  const away = new Set([...unreachable].map(digestOf));
  const top = proven.get(digestOf(root));
  if (top === undefined) throw new Error('no root');
  return {
    root: top,
    parents: parents.map(digestOf),
    async node(digest) {
      if (away.has(digest)) throw new TrustFault('registry.timeout', 'no answer');
      return proven.get(digest) ?? null;
    },
  };
}

/** What a policy says at the place of a clause, followed by its name alone. */
function contentOf(document: object, path: string): unknown {
  const steps = path.replaceAll(/\b(?:all|any|of)\b/g, 'parts').match(/[a-z]+|[0-9]+/g) ?? [];
  return steps.reduce<unknown>((at, step) => Object(at)[step], document);
}

/** Members sorted by their names, no white space, SHA-256: docs/exceptions.md. */
function digestOfJson(content: unknown): string {
  const text = JSON.stringify(content, (_, value) =>
    value === null || typeof value !== 'object' || Array.isArray(value)
      ? value
      : Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** An exception by its own policy's approver; it differs in what it lifts and until when alone. */
function exceptionFor(digest: Digest, clauses: readonly object[], isOver: boolean): GivenException {
  const pem = KEYS_OF_PEOPLE.map(({ publicKey }) => publicKeyPem(publicKey));
  const request = sealedBy(KEYS_OF_PEOPLE[0], {
    apiVersion: 'bulla.dev/v1',
    kind: 'TrustException',
    metadata: { name: 'drawn' },
    spec: {
      kind: 'exception',
      ...{ repository: 'registry.example/app', digest, lifts: [{ policy: 'prod', clauses }] },
      requester: { identity: 'dev', key: pem[0] },
      ...{ reason: 'r', compensatingControl: 'c' },
      issuedAt: new Date(NOW.getTime() - 60 * MINUTE).toISOString(),
      expires: new Date(NOW.getTime() + (isOver ? 0 : 1)).toISOString(),
    },
  });
  const approval = sealedBy(KEYS_OF_PEOPLE[1], {
    apiVersion: 'bulla.dev/v1',
    kind: 'TrustExceptionApproval',
    spec: {
      approver: { identity: 'sec', key: pem[1] },
      approvedAt: NOW.toISOString(),
      request,
    },
  });
  const bytes = Buffer.from(JSON.stringify(approval));
  return { document: parseException(bytes, 'drawn'), recorded: false };
}

const KEYS_OF_PEOPLE = [testKey('ed25519'), testKey('ed25519')] as const;
const approver = { ...ready(keyed(KEYS_OF_PEOPLE[1], 'security')) };
const RULES = {
  approvers: ['security'],
  maxDurationMs: 24 * 60 * MINUTE,
  maxScope: 'digest',
  breakGlass: null,
} as const;

function sealedBy(by: TestKey, payload: object) {
  const bytes = Buffer.from(JSON.stringify(payload));
  const message = preAuthenticationEncoding(EXCEPTION_PAYLOAD_TYPE, bytes);
  return {
    payloadType: EXCEPTION_PAYLOAD_TYPE,
    payload: bytes.toString('base64'),
    signatures: [{ sig: Buffer.from(by.sign(message)).toString('base64') }],
  };
}

/** Whether a child of the root, asked for by its own digest, is as good as the root was. */
function isCovered(
  digest: string,
  rule: Rule,
  tree: TreeMode,
  world: World,
  lifted: readonly string[],
): boolean {
  const { root, nodes } = world;
  const child = nodes.get(root)?.children?.find((name) => digestOf(name) === digest);
  // Of what lies further below, only the child in between can say.
  if (child === undefined || !nodes.has(child)) return true;
  const unreachable = new Set([...world.unreachable].filter((name) => name !== child));
  const asked = { ...world, root: child, parents: [root], unreachable };
  return holds(rule, tree, asked, lifted) === 'yes';
}

const ON_OUTAGE: readonly OnInconclusive[] = [
  'deny',
  'warn',
  { lastKnownGood: { maxAgeMs: 15 * MINUTE } },
];

test(`drawn policies are decided as the documentation has it (seed ${SEED})`, async () => {
  const seen = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const roll = dice(SEED + round);
    const world = drawnWorld(roll);
    const rule = drawnRule(roll, 2);
    const tree = pick(roll, ['named', 'index', 'leaf', 'any', 'both'] as const);
    const mode = pick(roll, ['enforce', 'enforce', 'warn', 'audit'] as const);
    const onInconclusive = pick(roll, ON_OUTAGE);
    const tags = pick(roll, ['pin', 'pin', 'refuse'] as const);
    const rollback = pick(roll, ['allow', 'refuse'] as const);
    const tag = roll(2) === 0 ? 'v1' : null;
    const isBack = tag !== null && roll(4) === 0;
    const lastPassAge = roll(2) === 0 ? null : roll(4) * 10 * MINUTE;
    const clauses = several(roll, [...namesOf(rule), 'tags', 'rollback']);
    const policy = policyOf({
      authorities: [...authorities, approver],
      exceptions: RULES,
      require: requirementOf(rule),
      tree,
      mode,
      onInconclusive,
      tags,
      rollback,
    });
    const given = pick(roll, [
      ...['none', 'none', 'for it', 'expired', 'for another', 'for other words'],
    ] as const);
    const digest = digestOf(world.root);
    const about = given === 'for another' ? digestOf('another') : digest;
    const said = clauses.map((path, at) => {
      const isOther = given === 'for other words' && at === clauses.length - 1;
      const content = isOther ? 'other words' : contentOf(policy.document, path);
      return { path, digest: digestOfJson(content) };
    });
    const exceptions = given === 'none' ? [] : [exceptionFor(about, said, given === 'expired')];
    const lifted = given === 'for it' ? clauses : [];
    const found = await evaluatePolicy(policy, treeOf(world), {
      repository: 'registry.example/app',
      exceptions: {
        given: async () => exceptions,
        ...{ digest, surface: 'pull', namespace: null },
      },
      at: NOW,
      tag,
      rollback: isBack ? { newer: digestOf('newer'), newerSince: NOW } : null,
      lastPass: async () => (lastPassAge === null ? null : new Date(NOW.getTime() - lastPassAge)),
      expressions: () => ({
        evaluate: async (_, { predicate }) => Object(predicate).good === true,
        [Symbol.asyncDispose]: async () => undefined,
      }),
    });
    const truthWith = (without: readonly string[]) =>
      every([
        holds(rule, tree, world, without),
        tags === 'refuse' && tag !== null && !without.includes('tags') ? 'no' : 'yes',
        rollback === 'refuse' && isBack && !without.includes('rollback') ? 'no' : 'yes',
      ]);
    const plain = effect(truthWith([]), mode, onInconclusive, lastPassAge);
    // "An exception is used only where the policy would not pass without."
    const expected =
      plain === 'pass' ? plain : effect(truthWith(lifted), mode, onInconclusive, lastPassAge);
    const isUsed = expected !== plain;
    const told = JSON.stringify({ tree, rule, root: world.root, nodes: [...world.nodes.values()] });
    assert.equal(found.exceptions.length, isUsed ? 1 : 0, `BULLA_SEED=${SEED + round} ${told}`);
    if (isUsed) seen.set('lifted', 1 + (seen.get('lifted') ?? 0));
    assert.equal(found.effect, expected, `BULLA_SEED=${SEED + round} BULLA_ROUNDS=1 ${told}`);
    const outside = found.covers.filter(
      (digest) => !isCovered(digest, rule, tree, world, isUsed ? lifted : []),
    );
    assert.deepEqual(outside, [], `covers more than it may: BULLA_SEED=${SEED + round} ${told}`);
    seen.set(expected, 1 + (seen.get(expected) ?? 0));
  }
  // What never passes, or always does, compares nothing.
  if (ROUNDS >= 1000)
    for (const word of ['pass', 'deny', 'warn', 'audit', 'lifted'])
      assert.ok((seen.get(word) ?? 0) > ROUNDS / 50, word);
});
