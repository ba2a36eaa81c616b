import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pushSmallImage } from './artifact.ts';
import { markedFiles } from './marked-block.ts';
import { settleServer } from './settled-server.ts';
import { makeKey, ROOT, type Stage } from './stage.ts';

/** What a reader of a document has before its first command, and the journeys in it. */
export interface Scene {
  readonly document: string;
  /** The journeys that the document must have; none is forgotten, none is made up. */
  readonly journeys: readonly string[];
  readonly prepare: (host: string, stage: Stage) => Promise<void>;
}

const WORKFLOW = 'https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1';

const SBOM = {
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  components: [
    { type: 'library', name: 'express', licenses: [{ license: { id: 'MIT' } }] },
    { type: 'application', name: 'app' },
  ],
};

const PROVENANCE = {
  buildDefinition: { buildType: 'https://actions.github.io/buildtypes/workflow/v1' },
  runDetails: { builder: { id: WORKFLOW } },
};

const SCAN = {
  invocation: { uri: 'https://ci.example/42', event_id: '', producer_id: '' },
  scanner: {
    uri: 'pkg:github/aquasecurity/trivy',
    version: '0.50.0',
    db: { uri: '', version: '' },
    result: {
      Results: [{ Vulnerabilities: [{ VulnerabilityID: 'CVE-2026-1', Severity: 'CRITICAL' }] }],
    },
  },
  metadata: { scanStartedOn: '2026-11-01T00:00:00Z', scanFinishedOn: '2026-11-01T00:01:00Z' },
};

async function pushSigned(host: string, stage: Stage): Promise<string> {
  const image = `${host}/team/app:v1`;
  await pushSmallImage(`${host}/team/app`, 'v1');
  await makeKey(stage, 'release');
  await stage.succeeds(['sign', '--key', 'release.key', image]);
  return image;
}

/** The documents whose screens are played; one entry for each. */
export const SCENES: readonly Scene[] = [
  {
    document: 'README.md',
    journeys: ['first-image'],
    prepare: async (host) => {
      await pushSmallImage(`${host}/team/app`, 'v1');
      await pushSmallImage(`${host}/team/app`, 'unsigned');
    },
  },
  {
    document: 'docs/keys.md',
    journeys: ['keys'],
    prepare: async (_, stage) => {
      await stage.succeeds(['key', 'generate', '--plain', '--output-key-prefix', 'old']);
      await rename(stage.path('old.key'), stage.path('old.pem'));
    },
  },
  {
    document: 'docs/signing.md',
    journeys: ['signing'],
    prepare: async (host, stage) => {
      await pushSmallImage(`${host}/team/app`, 'v1');
      await makeKey(stage, 'release');
      await stage.write('sbom.cdx.json', JSON.stringify(SBOM));
      await stage.write('app.tar', 'what is released');
    },
  },
  {
    document: 'docs/verifying.md',
    journeys: ['verifying'],
    prepare: async (host, stage) => {
      const image = await pushSigned(host, stage);
      await pushSmallImage(`${host}/team/app`, 'unsigned');
      await makeKey(stage, 'qa');
      await pushSmallImage(`${host}/team/app`, 'v2');
      for (const key of ['release.key', 'qa.key']) {
        await stage.succeeds(['sign', '--key', key, `${host}/team/app:v2`]);
      }
      await makeKey(stage, 'ci');
      const predicates = { cyclonedx: SBOM, slsaprovenance1: PROVENANCE, vuln: SCAN };
      for (const [type, predicate] of Object.entries(predicates)) {
        const path = await stage.write(`${type}.json`, JSON.stringify(predicate));
        const attest = ['attest', '--key', 'ci.key', '--type', type, '--predicate', path];
        await stage.succeeds([...attest, image]);
      }
    },
  },
  {
    document: 'docs/impact.md',
    journeys: ['impact'],
    prepare: async (host, stage) => {
      await settleServer(stage);
      await makeKey(stage, 'qa');
      for (const name of ['web', 'cart']) {
        await pushSmallImage(`${host}/shop/${name}`, 'v1');
        await stage.succeeds(['sign', '--key', 'release.key', `${host}/shop/${name}:v1`]);
      }
      await stage.succeeds(['sign', '--key', 'qa.key', `${host}/shop/cart:v1`]);
      const markdown = await readFile(join(ROOT, 'docs/impact.md'), 'utf8');
      for (const { file, text } of markedFiles(markdown, 'policy')) {
        await stage.write(file, text.replaceAll('registry.example', host));
      }
    },
  },
  {
    document: 'docs/policy.md',
    journeys: ['policies', 'past-decisions'],
    prepare: async (host, stage) => {
      const repository = `${host}/prod/app`;
      await pushSmallImage(repository, 'v1');
      await pushSmallImage(repository, 'unsigned');
      await settleServer(stage);
      // The server's own; the first command of the document writes the reader's.
      await rm(stage.path('policy.yaml'));
      await makeKey(stage, 'qa');
      await stage.succeeds(['sign', '--key', 'release.key', `${repository}:v1`]);
      const markdown = await readFile(join(ROOT, 'docs/policy.md'), 'utf8');
      for (const kind of ['policy', 'policy-test']) {
        for (const { file, text } of markedFiles(markdown, kind)) {
          await stage.write(file, text.replaceAll('registry.example', host));
        }
      }
      await stage.write('images.txt', `# what runs today\n${repository}:v1\n`);
      const copied = `COPY --from=${repository}:unsigned /tool /tool`;
      await stage.write('Dockerfile', `FROM ${repository}:v1\n${copied}\n`);
      const container = `{ name: app, image: "${repository}:v1" }`;
      await stage.write('deploy.yaml', `kind: Pod\nspec: { containers: [${container}] }\n`);
    },
  },
  {
    document: 'docs/air-gap.md',
    journeys: ['air-gap'],
    prepare: async (host, stage) => {
      await pushSigned(host, stage);
    },
  },
  {
    document: 'docs/registries.md',
    journeys: ['registries'],
    prepare: async (host, stage) => {
      const image = await pushSigned(host, stage);
      await stage.write('sbom.cdx.json', JSON.stringify(SBOM));
      const sbom = ['--type', 'cyclonedx', '--predicate', 'sbom.cdx.json'];
      await stage.succeeds(['attest', '--key', 'release.key', ...sbom, image]);
      await stage.succeeds(['sign', '--key', 'release.key', '--format', 'cosign-legacy', image]);
    },
  },
  {
    document: 'docs/server.md',
    journeys: ['server'],
    prepare: async () => undefined,
  },
  {
    document: 'docs/access.md',
    journeys: ['access'],
    prepare: (_, stage) => settleServer(stage),
  },
  {
    document: 'docs/record.md',
    journeys: ['record'],
    prepare: (_, stage) => settleServer(stage),
  },
];
