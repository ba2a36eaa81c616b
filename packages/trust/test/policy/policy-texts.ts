import type { Code } from '@bulla/trust/fault/codes';

/** A policy with most of its fields, into which the refused ones are made by one exchange each. */
export const FULL = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata:
  name: production
  labels: { team: platform }
spec:
  description: What production runs
  images:
    - glob: "registry.example/prod/**"
    - exact: docker.io/library/nginx
    - regex: "registry\\\\.example/(a|b)"
  exclude: [{ glob: "registry.example/prod/scratch/*" }]
  surfaces: [pull, admission, gate]
  namespaces: [{ glob: "prod-*" }]
  environments: [eu, us]
  mode: warn
  onInconclusive: { lastKnownGood: { maxAge: 15m } }
  tags: refuse
  tree: leaf
  rollback: refuse
  trustRoots:
    acme: { file: roots/acme.json }
  authorities:
    release:
      keyless:
        issuer: { exact: "https://token.actions.githubusercontent.com" }
        subject: { glob: "https://github.com/acme/*/.github/workflows/release.yml@refs/tags/v*" }
        claims: { githubWorkflowTrigger: push }
        trustRoot: acme
        proof: { log: off, timestamp: required }
    qa: { key: { ref: keys/qa.pub } }
    scan:
      key:
        ref: keys/scan.pub
        trustRoot: public-good
        proof: { timestamp: off }
    vendor: { key: { ref: keys/vendor.pub } }
  require:
    all:
      - signed: { atLeast: 2, of: [release, qa, scan], annotations: { env: prod } }
      - any:
          - signed: { of: [vendor] }
          - atLeast: 1
            of:
              - signed: { of: [qa] }
      - attested:
          type: slsaprovenance1
          by: [release]
          where: predicate.buildDefinition.buildType != ''
          provenance:
            builder: { glob: "https://github.com/acme/**" }
            branch: { exact: refs/heads/main }
      - attested:
          type: vuln
          by: [scan, qa]
          atLeast: 2
          maxAge: 7d
          time: claimed
          vulnerabilities: { critical: 0, high: 3, vexBy: [vendor] }
      - attested: { type: cyclonedx, by: [scan], sbom: { minPackages: 10 } }
      - attested: { type: "https://acme.example/reviewed/v1", by: [qa] }
  exceptions:
    approvers: [vendor]
    maxDuration: 72h
    maxScope: repository
`;

/** The least that is a policy. */
export const SMALL = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: small }
spec:
  images: [{ glob: "**" }]
  authorities: { dev: { key: { ref: dev.pub } } }
  require: { signed: { of: [dev] } }
`;

/** Kinds of authorities that later formats bring. */
export const UNSUPPORTED = SMALL.replace(
  '{ dev: { key: { ref: dev.pub } } }',
  `
    dev: { key: { ref: dev.pub } }
    legacy:
      notary: { server: "https://notary.example", signers: [alice], atLeast: all, pin: { rootKeyIds: [4f6a] } }
    windows: { x509: { trustStores: ["ca:acme"], level: strict } }
    hosts: { openpgp: { keys: keys/release.asc } }`,
).replace('of: [dev]', 'of: [dev, legacy, windows, hosts]');

/** One exchange of `from` by `to` in a policy, and what it must be refused for. */
export interface RefusedPolicy {
  readonly name: string;
  readonly base: string;
  readonly from: string;
  readonly to: string;
  readonly code: Code;
  /** `line:column` of the first problem. */
  readonly at: string;
  /** A JSON Schema cannot know this: it is about names, numbers of items or another text. */
  readonly beyondSchema?: true;
}

/** A table of refused policies from rows of their members in order. */
export function refused(
  base: string,
  rows: readonly (readonly [string, string, string, Code, string, 'beyond'?])[],
): readonly RefusedPolicy[] {
  return rows.map(([name, from, to, code, at, beyond]) => ({
    name,
    base,
    from,
    to,
    code,
    at,
    ...(beyond === undefined ? {} : { beyondSchema: true as const }),
  }));
}

/** The text of a refused policy. Throws when the base does not hold what it exchanges. */
export function refusedText({ name, base, from, to }: RefusedPolicy): string {
  if (!base.includes(from)) throw new Error(`${name}: the base does not hold ${from}`);
  return base.replace(from, () => to);
}

export const ACCEPTED: readonly { readonly name: string; readonly text: string }[] = [
  { name: 'most fields', text: FULL },
  { name: 'the least', text: SMALL },
  { name: 'kinds of authorities that are not supported', text: UNSUPPORTED },
  {
    name: 'three documents',
    text: `${SMALL}---\n${FULL}---\n${UNSUPPORTED.replace('small', 'other')}`,
  },
  {
    name: 'JSON',
    text: JSON.stringify({
      apiVersion: 'bulla.dev/v1',
      kind: 'TrustPolicy',
      metadata: { name: 'json', annotations: { 'a/b': 'c' } },
      spec: {
        images: [
          { exact: 'localhost:5000/a' },
          { glob: 'a.example:8443/**' },
          { glob: '*.example/b' },
        ],
        onInconclusive: 'warn',
        authorities: { dev: { key: { ref: 'file:///keys/dev.pub' } } },
        require: { any: [{ signed: { of: ['dev'] } }] },
      },
    }),
  },
];
