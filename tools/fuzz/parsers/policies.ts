import { type Seed, type Subject, textTrial, trial } from '../parser.ts';

const POLICY = `# who may sign
apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: production }
spec:
  images: [{ glob: "registry.example/**" }, { regex: "a\\\\.example/(b|c)+" }]
  onInconclusive: { lastKnownGood: { maxAge: 15m } }
  authorities:
    dev: { key: { ref: dev.pub } } # the developers
    release:
      keyless:
        issuer: { exact: "https://issuer.example" }
        subject: { glob: "*@acme.example" }
        trustRoot: public-good
        proof: { log: off }
  require:
    all:
      - signed: { atLeast: 2, of: [dev, release] }
      - attested: { type: vuln, by: [dev], maxAge: 7d, vulnerabilities: { critical: 0 } }
      - any: [{ signed: { of: [dev] } }]
`;

const SEEDS: readonly Seed[] = [
  { text: POLICY },
  { text: '{"apiVersion":"bulla.dev/v1","kind":"TrustPolicy","metadata":{"name":"a"},"spec":{}}' },
  { text: 'a: |\n  x\nb: >-\n  y\n---\n- - c\n  - ? d\n    : e\n' },
  { text: '"a": [1, 0x1F, 1.5e3, ~, true, "\\u00e9"] # b\n' },
];

/** What people write: policies, and YAML of any kind. */
export const POLICIES: readonly Subject[] = [
  {
    name: 'policy',
    seeds: SEEDS,
    load: async () => {
      const { TrustFault } = await import('@bulla/trust/fault/fault');
      const { parsePolicies } = await import('@bulla/trust/policy/parse');
      return trial((bytes) => {
        const { policies, problems } = parsePolicies(bytes, 'input');
        const error = problems.find(({ severity }) => severity === 'error');
        if (error !== undefined) throw new TrustFault(error.code, error.message);
        if (policies.length === 0) throw new Error('neither a policy nor a problem');
      });
    },
  },
  {
    name: 'policy-format',
    seeds: SEEDS,
    load: async () => {
      const { formatPolicies } = await import('@bulla/trust/policy/format');
      return textTrial((text) => formatPolicies(text, 'input.yaml'), {
        encode: (formatted) => formatted,
        law: 'stable',
      });
    },
  },
];
