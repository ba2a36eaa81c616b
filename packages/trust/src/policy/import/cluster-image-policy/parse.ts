import { optional, readFields, required } from '../../../bytes/yaml/fields.ts';
import type { Place, YamlNode } from '../../../bytes/yaml/node.ts';
import type { Problem } from '../../../bytes/yaml/problem.ts';
import {
  addProblem,
  listOf,
  memberOf,
  oneOf,
  type Read,
  readDocument,
  readText,
  textOf,
  type YamlCursor,
} from '../../../bytes/yaml/read.ts';
import type { CipImage, ClusterImagePolicy, InlinePolicy } from './document.ts';
import { anything } from './parse/anything.ts';
import { readAuthorities } from './parse/authority.ts';
import { readInlinePolicy } from './parse/inline-policy.ts';

/** The two versions that policy-controller serves; their fields are the same. */
export const CIP_VERSIONS = [
  'policy.sigstore.dev/v1alpha1',
  'policy.sigstore.dev/v1beta1',
] as const;
export const CIP_KIND = 'ClusterImagePolicy';

/**
 * Whether a document says of itself that it is a ClusterImagePolicy of sigstore. Only that: OpenShift
 * has a kind of the same name in another group, and one without a version is nobody's.
 */
export function isClusterImagePolicy(node: YamlNode): boolean {
  const member = (name: string): unknown => {
    const entries = node.kind === 'map' ? node.entries : [];
    const value = entries.find(({ key }) => key === name)?.value;
    return value?.kind === 'scalar' ? value.value : undefined;
  };
  const version = member('apiVersion');
  return member('kind') === CIP_KIND && CIP_VERSIONS.some((known) => known === version);
}

/**
 * Reads a ClusterImagePolicy as policy-controller's own validation does
 * (pkg/apis/policy/v1beta1/clusterimagepolicy_validation.go), with its defaults; a field that it does
 * not have is an error here, since left out it could loosen what was meant. Never throws.
 */
export function parseClusterImagePolicy(node: YamlNode): {
  readonly value: ClusterImagePolicy | null;
  readonly problems: readonly Problem[];
} {
  return readDocument(node, 'policy.malformed', readCip);
}

function readCip(at: YamlCursor): ClusterImagePolicy | undefined {
  const fields = readFields(
    at,
    {
      apiVersion: required(oneOf(CIP_VERSIONS)),
      kind: required(oneOf([CIP_KIND])),
      metadata: required(readName),
      spec: required(readSpec),
      // What a cluster writes into the object says nothing about images.
      status: optional(anything, null),
    },
    'policy.unknown-field',
  );
  if (fields === undefined) return undefined;
  const { apiVersion, metadata, spec } = fields;
  return { apiVersion, name: metadata, place: memberOf(at, 'spec').place, ...spec };
}

const readObjectName = textOf(
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
  'a name of small letters, digits, dashes and dots, as Kubernetes has them',
);

/** A cluster adds members of its own beside the name. */
function readName(at: YamlCursor): string | undefined {
  return readObjectName(memberOf(at, 'name'));
}

const SPEC = {
  images: required(listOf(readImage, { min: 1 })),
  authorities: optional(readAuthorities, []),
  mode: optional(oneOf(['enforce', 'warn']), 'enforce' as const),
  match: optional(listOf(readMatch), []),
  policy: optional<InlinePolicy, null>((at) => readInlinePolicy(at, 'cip'), null),
};

function readSpec(
  at: YamlCursor,
): Omit<ClusterImagePolicy, 'apiVersion' | 'name' | 'place'> | undefined {
  return readFields(at, SPEC, 'policy.unknown-field');
}

function readImage(at: YamlCursor): CipImage | undefined {
  const fields = readFields(at, { glob: required(readGlob) }, 'policy.unknown-field');
  return fields && { place: memberOf(at, 'glob').place, glob: fields.glob };
}

/** PC-2; pkg/apis/glob/glob.go. */
const readGlob: Read<string> = textOf(
  /^[A-Za-z0-9_:/*.@-]{1,1024}$/,
  'a glob of letters, digits and - _ : / * . @',
);

const MATCH = {
  group: optional(anything, null),
  version: optional(anything, null),
  resource: optional(readText, null),
  selector: optional(anything, null),
};

function readMatch(at: YamlCursor): Place | undefined {
  const fields = readFields(at, MATCH, 'policy.unknown-field');
  if (fields === undefined) return undefined;
  const { group, version, resource, selector } = fields;
  if (selector !== null && group === null && version === null && resource === null) {
    return addProblem(
      at,
      `expected a resource beside the selector at ${at.place.path}, found none`,
    );
  }
  return at.place;
}
