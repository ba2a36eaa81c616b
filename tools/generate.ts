/**
 * `npm run generate`: writes the documents that are made from the sources. With `--check` it writes
 * nothing and fails when one of them differs from what it would write.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderTemplate, renderValues } from './generate/chart.ts';
import { renderValuesSchema } from './generate/chart-values.ts';
import { renderConfiguration } from './generate/configuration.ts';
import { renderTrustPolicyCrd } from './generate/crd.ts';
import { renderErrors } from './generate/errors.ts';
import { renderOpenApi } from './generate/openapi.ts';

/** Path from the root → its text. One line for each generated document. */
const DOCUMENTS: Readonly<Record<string, () => string | Promise<string>>> = {
  'deploy/helm/bulla/crds/trustpolicies.yaml': renderTrustPolicyCrd,
  'deploy/helm/bulla/templates/config.yaml': renderTemplate('config'),
  'deploy/helm/bulla/templates/deployment.yaml': renderTemplate('deployment'),
  'deploy/helm/bulla/templates/rbac.yaml': renderTemplate('rbac'),
  'deploy/helm/bulla/templates/webhook-guard.yaml': renderTemplate('webhook-guard'),
  'deploy/helm/bulla/templates/webhook.yaml': renderTemplate('webhook'),
  'deploy/helm/bulla/values.schema.json': renderValuesSchema,
  'deploy/helm/bulla/values.yaml': renderValues,
  'deploy/kubernetes/00-crd-trustpolicies.yaml': renderTrustPolicyCrd,
  'docs/configuration.md': renderConfiguration,
  'docs/errors.md': renderErrors,
  'docs/openapi.json': renderOpenApi,
};

const ROOT = join(import.meta.dirname, '..');
const checking = process.argv.includes('--check');

for (const [path, render] of Object.entries(DOCUMENTS)) {
  const target = join(ROOT, path);
  const text = await render();
  if (existsSync(target) && readFileSync(target, 'utf8') === text) continue;
  if (checking) {
    console.error(`${path} is not what the sources say: run \`npm run generate\``);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    console.log(`${path} written`);
  }
}
