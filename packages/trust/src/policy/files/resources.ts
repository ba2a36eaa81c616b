import { dirname, resolve } from 'node:path';
import { childOf } from '../../bytes/yaml/node.ts';
import { type Problem, problemAt, warningAt } from '../../bytes/yaml/problem.ts';
import type { PublicKey } from '../../crypto/public-key.ts';
import { asFault, quote } from '../../fault/fault.ts';
import { parseKeyReference } from '../../keys/file/reference.ts';
import { parseTrustedRoot, type TrustedRoot } from '../../trust-root/trusted-root.ts';
import type { KeyAuthoritySpec } from '../document.ts';
import { keyRoleProblems } from '../exceptions/key-roles.ts';
import { PUBLIC_GOOD } from '../parse/spec.ts';
import type { PolicySource } from '../parse.ts';
import { parsePolicyKey } from '../public-key.ts';
import type { PolicyResources } from '../ready.ts';
import { readRegularFile } from './read.ts';

const MAX_KEY_BYTES = 64 << 10;
const MAX_ROOT_BYTES = 4 << 20;

/**
 * The keys and trust roots that a policy names: files relative to `file`, trust roots of `shared`
 * where `spec.trustRoots` has none of the name, and `public-good`. All are looked for, and each that
 * is missing or wrong is a problem where it is named.
 */
export async function openResources(
  source: PolicySource,
  file: string,
  shared: ReadonlyMap<string, TrustedRoot>,
): Promise<{ readonly resources: PolicyResources; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const folder = dirname(file);
  const keys = new Map<string, PublicKey>();
  const trustRoots = new Map<string, TrustedRoot>();
  const attempt = async (path: readonly string[], act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      const { code, message, remedy } = asFault(error);
      if (code === 'internal.defect') throw error;
      problems.push(problemAt(childOf(source.node, path).place, code, message, remedy));
    }
  };
  const { authorities, trustRoots: named } = source.policy;
  for (const [name, { file: root }] of Object.entries(named)) {
    await attempt(['spec', 'trustRoots', name, 'file'], async () => {
      const path = resolve(folder, root);
      const bytes = await readRegularFile(path, MAX_ROOT_BYTES, 'policy.file');
      // Findings reach whoever pulls: they call it as the policy does, and name no folder of ours.
      trustRoots.set(name, { ...parseTrustedRoot(bytes, root), name });
    });
  }
  for (const [name, spec] of Object.entries(authorities)) {
    if (spec.kind === 'key') {
      await attempt(['spec', 'authorities', name, 'key', 'ref'], async () => {
        keys.set(name, await openKey(spec, folder));
      });
    }
    const root = spec.kind === 'key' || spec.kind === 'keyless' ? spec.trustRoot : null;
    if (root === null || Object.hasOwn(named, root)) continue;
    const opened = await sharedRoot(root, shared);
    if (opened !== null) trustRoots.set(root, opened);
    else problems.push(missingRoot(source, ['spec', 'authorities', name, spec.kind], root, shared));
  }
  for (const { severity, code, message, path } of keyRoleProblems(source.policy, keys)) {
    const { place } = childOf(source.node, path);
    problems.push((severity === 'error' ? problemAt : warningAt)(place, code, message));
  }
  if (source.imported) problems.push(...rootsWithoutLog(source, trustRoots));
  return { resources: { keys, trustRoots }, problems };
}

/**
 * A key of an imported policy asks for a log entry, and a trust root without a log would ask for none
 * (PC-10): there that is an error.
 */
function rootsWithoutLog(
  { policy, node }: PolicySource,
  trustRoots: PolicyResources['trustRoots'],
): readonly Problem[] {
  return Object.values(policy.authorities).flatMap((spec) => {
    const root = spec.kind === 'key' && spec.proof.log ? (spec.trustRoot ?? '') : '';
    if (trustRoots.get(root)?.tlogs.length !== 0) return [];
    const message = `the trust root ${quote(root)} of ctlog names no log`;
    return [problemAt(node.place, 'policy.trust-root-missing', message)];
  });
}

async function openKey(spec: KeyAuthoritySpec, folder: string): Promise<PublicKey> {
  if (spec.ref === null) return parsePolicyKey(Buffer.from(spec.pem ?? ''), 'the policy');
  const reference = parseKeyReference(spec.ref);
  const path = resolve(folder, reference.kind === 'file' ? reference.path : spec.ref);
  const bytes = await readRegularFile(path, MAX_KEY_BYTES, 'policy.file');
  return parsePolicyKey(bytes, spec.ref);
}

async function sharedRoot(
  name: string,
  shared: ReadonlyMap<string, TrustedRoot>,
): Promise<TrustedRoot | null> {
  if (name !== PUBLIC_GOOD) return shared.get(name) ?? null;
  const { publicGoodTrustRoot } = await import('../../trust-root/public-good.ts');
  return publicGoodTrustRoot();
}

function missingRoot(
  { node, policy }: PolicySource,
  authority: readonly string[],
  root: string,
  shared: ReadonlyMap<string, TrustedRoot>,
): Problem {
  const { place } = childOf(node, [...authority, 'trustRoot']);
  const known = [PUBLIC_GOOD, ...Object.keys(policy.trustRoots), ...shared.keys()].join(', ');
  const message = `expected one of the trust roots ${known} at ${place.path}, found ${quote(root)}`;
  return problemAt(place, 'policy.trust-root-missing', message);
}
