import { childOf } from '@bulla/trust/bytes/yaml/node';
import { hasErrors, type Problem, problemAt } from '@bulla/trust/bytes/yaml/problem';
import { quote } from '@bulla/trust/fault/fault';
import type { CelRunner } from '@bulla/trust/policy/cel/runner';
import type { TrustPolicy } from '@bulla/trust/policy/document';
import { expressionProblems } from '@bulla/trust/policy/expression-problems';
import { openResources } from '@bulla/trust/policy/files/resources';
import { type PolicySource, parsePolicies } from '@bulla/trust/policy/parse';
import type { ReadyPolicy } from '@bulla/trust/policy/policy-set';
import { readyPolicy } from '@bulla/trust/policy/ready';
import type { TrustedRoot } from '@bulla/trust/trust-root/trusted-root';

/** What a document of the cluster may refer to. */
export interface DocumentGround {
  /** Those of the server's configuration, by name. */
  readonly trustRoots: ReadonlyMap<string, TrustedRoot>;
  readonly expressions: Pick<CelRunner, 'checkExpression'>;
}

/** A document, ready or not. */
export interface ReadDocument {
  /** Null when there is any error. */
  readonly ready: ReadyPolicy | null;
  /** What could be read of it; null when that is not a policy. */
  readonly document: TrustPolicy | null;
  /** Every mistake and remark. */
  readonly problems: readonly Problem[];
}

/**
 * Reads one policy of the cluster as a file's is read (docs/policy.md), except that it can name no
 * file: there is none beside it, and those of the server's machine are not the cluster's to name
 * (`kubernetes.file-reference`). Never throws for a document.
 */
export async function readDocument(
  bytes: Uint8Array,
  where: string,
  ground: DocumentGround,
): Promise<ReadDocument> {
  const { sources, problems } = parsePolicies(bytes, where);
  const [source, second] = sources;
  if (source === undefined || second !== undefined || hasErrors(problems)) {
    return { ready: null, document: null, problems };
  }
  const document = source.policy;
  const found = [
    ...problems,
    ...fileReferences(source),
    ...(await expressionProblems(source.expressions, ground.expressions)),
  ];
  if (hasErrors(found)) return { ready: null, document, problems: found };
  const opened = await openResources(source, where, ground.trustRoots);
  const all = [...found, ...opened.problems];
  const ready = hasErrors(all) ? null : readyPolicy(document, opened.resources);
  return { ready, document, problems: all };
}

function fileReferences({ node, policy }: PolicySource): readonly Problem[] {
  const refuse = (path: readonly string[], file: string): Problem => {
    const { place } = childOf(node, path);
    const message = `expected no file at ${place.path}, found ${quote(file)}`;
    return problemAt(place, 'kubernetes.file-reference', message);
  };
  return [
    ...Object.entries(policy.trustRoots).map(([name, { file }]) =>
      refuse(['spec', 'trustRoots', name, 'file'], file),
    ),
    ...Object.entries(policy.authorities).flatMap(([name, spec]) =>
      spec.kind === 'key' && spec.ref !== null
        ? [refuse(['spec', 'authorities', name, 'key', 'ref'], spec.ref)]
        : [],
    ),
  ];
}
