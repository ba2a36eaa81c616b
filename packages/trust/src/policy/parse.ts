import { optional, readFields, required } from '../bytes/yaml/fields.ts';
import { nodeOf, type YamlNode } from '../bytes/yaml/node.ts';
import { parseYamlDocuments } from '../bytes/yaml/parse.ts';
import { hasErrors, type Problem, problemAt, warningAt } from '../bytes/yaml/problem.ts';
import {
  oneOf,
  readDocument,
  readString,
  recordOf,
  textOf,
  type YamlCursor,
} from '../bytes/yaml/read.ts';
import { quote } from '../fault/fault.ts';
import type { TrustPolicy } from './document.ts';
import { importClusterImagePolicy } from './import/cluster-image-policy/import.ts';
import { noteText } from './import/cluster-image-policy/note.ts';
import { isClusterImagePolicy } from './import/cluster-image-policy/parse.ts';
import type { PolicyExpression } from './parse/names.ts';
import { readSpec } from './parse/spec.ts';

/** What `apiVersion` and `kind` of a policy are. */
export const POLICY_API_VERSION = 'bulla.dev/v1';
export const POLICY_KIND = 'TrustPolicy';

/** A policy and the text that it was read from: its root node, and each CEL expression in it. */
export interface PolicySource {
  readonly policy: TrustPolicy;
  readonly node: YamlNode;
  readonly expressions: readonly PolicyExpression[];
  /** Whether it was imported from a document of another kind, which `node` is then. */
  readonly imported: boolean;
}

/** The policies of a file, and every mistake and remark in the order of the text. */
export interface ParsedPolicies {
  readonly policies: readonly TrustPolicy[];
  /** The same, each with its source. */
  readonly sources: readonly PolicySource[];
  readonly problems: readonly Problem[];
}

/**
 * Reads the `TrustPolicy` documents of YAML or JSON text (docs/policy.md), and those that a
 * `ClusterImagePolicy` of sigstore comes to (docs/policy-import.md), each checked in itself:
 * nothing of other files is looked at, and of CEL only the length. A policy with an error is left
 * out, so that whoever uses `policies` must first see that `problems` hold no error. A file without
 * any policy is an error: half of a file is never a smaller set. Never throws.
 */
export function parsePolicies(bytes: Uint8Array, file: string): ParsedPolicies {
  const { documents, problems } = parseYamlDocuments(bytes, file, 'policy.malformed');
  const all: Problem[] = [...problems];
  const sources: PolicySource[] = [];
  for (const node of documents) {
    const read = isClusterImagePolicy(node) ? readImported(node) : readOwn(node, false);
    all.push(...read.problems);
    sources.push(...read.sources);
  }
  if (documents.length === 0 && !hasErrors(all)) {
    const start = { file, line: 1, column: 1, path: '' };
    all.push(problemAt(start, 'policy.malformed', 'expected a TrustPolicy, found an empty file'));
  }
  all.push(...repeatedNames(sources));
  return { policies: sources.map(({ policy }) => policy), sources, problems: all };
}

type ReadPolicies = Pick<ParsedPolicies, 'sources' | 'problems'>;

function readOwn(node: YamlNode, imported: boolean): ReadPolicies {
  const expressions: PolicyExpression[] = [];
  const read = readDocument(node, 'policy.malformed', (at) => readPolicy(at, expressions));
  const { value: policy, problems } = read;
  return { sources: policy === null ? [] : [{ policy, node, expressions, imported }], problems };
}

/** What cannot be expressed is a remark at its place; the policy itself refuses there. */
function readImported(node: YamlNode): ReadPolicies {
  const { policies, notes, problems } = importClusterImagePolicy(node);
  const read = policies.map((policy) => readOwn(nodeOf(policy, node.place), true));
  const remarks = notes
    .filter(({ effect }) => effect !== 'same')
    .map((note) => {
      const message = `${noteText(note)} at ${note.place.path}`;
      return warningAt(note.place, 'policy.not-expressible', message);
    });
  return {
    sources: read.flatMap(({ sources }) => sources.map((source) => ({ ...source, node }))),
    problems: [...problems, ...read.flatMap((one) => one.problems), ...remarks],
  };
}

/** DNS-1123 subdomain: what Kubernetes takes as an object's name. */
const readPolicyName = textOf(
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
  'a name of small letters, digits, dashes and dots, as Kubernetes has them',
);

function readPolicy(at: YamlCursor, expressions: PolicyExpression[]): TrustPolicy | undefined {
  const fields = readFields(
    at,
    {
      apiVersion: required(oneOf([POLICY_API_VERSION])),
      kind: required(oneOf([POLICY_KIND])),
      metadata: required(readMetadata),
      spec: required((member) => readSpec(member, expressions)),
    },
    'policy.unknown-field',
  );
  return fields && { name: fields.metadata.name, ...fields.spec };
}

/** Labels and annotations are for people and their tools; they change no decision. */
function readMetadata(at: YamlCursor): { readonly name: string } | undefined {
  const fields = {
    name: required(readPolicyName),
    labels: optional(recordOf(readString), {}),
    annotations: optional(recordOf(readString), {}),
  };
  return readFields(at, fields, 'policy.unknown-field');
}

function repeatedNames(sources: readonly PolicySource[]): readonly Problem[] {
  const seen = new Map<string, PolicySource>();
  return sources.flatMap((source) => {
    const { policy, node } = source;
    const earlier = seen.get(policy.name);
    seen.set(policy.name, earlier ?? source);
    if (earlier === undefined) return [];
    const message = `policy ${quote(policy.name)} of line ${earlier.node.place.line} has the same name`;
    return [problemAt(node.place, 'policy.name-repeated', message)];
  });
}
