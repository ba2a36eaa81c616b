import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type PublicKey, parsePublicKeyPem } from '@bulla/trust/crypto/public-key';
import { sourceMaterial } from '@bulla/trust/decide/material';
import { provenTree } from '@bulla/trust/decide/prove';
import { openLayout } from '@bulla/trust/oci/layout/layout-store';
import type { TrustPolicy } from '@bulla/trust/policy/document';
import { type EvaluationContext, evaluatePolicy } from '@bulla/trust/policy/evaluate/evaluate';
import type { ProvenTree } from '@bulla/trust/policy/evaluate/proven-tree';
import type { ReadyAuthority, ReadyPolicy } from '@bulla/trust/policy/policy-set';
import { pair, type Row } from '../pairing.ts';

const VECTORS = new URL('../../vectors/cosign/', import.meta.url);
const PER_ROUND = 4000;
const ROUNDS = 15;

function vector(path: string): string {
  return fileURLToPath(new URL(path, VECTORS));
}

async function keyOf(name: string): Promise<PublicKey> {
  return parsePublicKeyPem(await readFile(vector(`keys/${name}.pub`), 'utf8'), name);
}

function readyKey(name: string, key: PublicKey): ReadyAuthority {
  const requirements = { trustRoot: null, log: true, sct: true, timestamp: true };
  return { name, kind: 'key', authority: { kind: 'key', name, key }, requirements };
}

/** A policy of one clause: signed by one of two keys. */
function policyOf(authorities: readonly ReadyAuthority[]): ReadyPolicy {
  const names = authorities.map(({ name }) => name);
  const document: TrustPolicy = {
    name: 'bench',
    description: null,
    images: [{ glob: '**' }],
    exclude: [],
    surfaces: ['pull'],
    namespaces: null,
    environments: null,
    mode: 'enforce',
    onInconclusive: 'deny',
    tags: 'pin',
    tree: 'any',
    rollback: 'allow',
    trustRoots: {},
    authorities: {},
    require: { kind: 'signed', of: names, atLeast: 1, annotations: {} },
    exceptions: null,
  };
  const byName = new Map(authorities.map((authority) => [authority.name, authority]));
  return { document, hash: 'sha256:bench', authorities: byName, covers: () => true };
}

interface Stage {
  readonly policy: ReadyPolicy;
  readonly tree: ProvenTree;
  readonly context: EvaluationContext;
}

/** cosign's image of the fixtures; its evidence is gathered and proved by the first evaluation. */
async function prepare(): Promise<Stage> {
  const key = await keyOf('p256');
  const policy = policyOf([readyKey('release', key), readyKey('qa', await keyOf('p384'))]);
  const source = await openLayout(vector('oci/cosign-key-legacy'));
  const root = await source.manifest('p256');
  if (root === null) throw new Error('the image is not there');
  const at = new Date();
  const material = sourceMaterial(source, {});
  const patience = { now: () => performance.now(), leftMs: 60_000 };
  const tree = provenTree(root, [], { material, policies: [policy], at, patience });
  const context: EvaluationContext = {
    repository: 'registry.example/app',
    at,
    expressions: () => {
      throw new Error('no expression is to be run');
    },
    tag: null,
    rollback: null,
    lastPass: async () => null,
  };
  return { policy, tree, context };
}

/** Evaluations of a policy over stored evidence, each with its whole tree, beside bare signature checks. */
export async function policyRows(): Promise<readonly Row[]> {
  const { policy, tree, context } = await prepare();
  const evaluations = async () => {
    for (let count = 0; count < PER_ROUND; count++) {
      const { effect } = await evaluatePolicy(policy, tree, context);
      if (effect !== 'pass') throw new Error('an evaluation did not pass');
    }
  };
  const message = Buffer.alloc(250);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signature = sign('sha256', message, privateKey);
  const bare = () => {
    for (let count = 0; count < PER_ROUND; count++) verify('sha256', message, publicKey, signature);
  };
  const paired = await pair(bare, evaluations, ROUNDS);
  const each = (ms: number) => `${((ms / PER_ROUND) * 1000).toFixed(1)} µs`;
  return [
    {
      name: 'policy over stored evidence, signed by one of two keys',
      figures: `${each(paired.b)} an evaluation with its tree, ${each(paired.a)} for one bare signature check`,
      ratio: (PER_ROUND / paired.b) * 1000,
      unit: 'evaluations a second',
      goal: { at: 'least', value: 20_000 },
    },
  ];
}
