import { plainValue } from '@bulla/trust/bytes/yaml/node';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import { renderValues } from './chart.ts';

/** What a value may be, where its type does not say it: by its path in `values.yaml`. */
const BOUNDS: Readonly<Record<string, object>> = {
  replicas: { minimum: 1 },
  'image.tag': { minLength: 1 },
  'certificates.keyType': { pattern: '^(ecdsa|rsa)$' },
  // Kubernetes waits for no webhook longer.
  'webhook.timeoutSeconds': { minimum: 1, maximum: 30 },
};

/**
 * `deploy/helm/bulla/values.schema.json`: the members of `values.yaml` and no others, so that helm refuses
 * a misspelt `webhook.enabled` and does not take the default in its place.
 */
export function renderValuesSchema(): string {
  const bytes = Buffer.from(renderValues());
  const { documents, problems } = parseYamlDocuments(bytes, 'values.yaml', 'config.invalid');
  const [values] = documents;
  if (values === undefined || problems.length > 0) throw new Error('values.yaml is no YAML');
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...schemaOf(plainValue(values), ''),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function schemaOf(value: unknown, path: string): object {
  const bounds = BOUNDS[path] ?? {};
  switch (typeof value) {
    case 'string':
      return { type: 'string', ...bounds };
    case 'boolean':
      return { type: 'boolean', ...bounds };
    case 'number':
      return { type: 'integer', ...bounds };
    case 'object': {
      const members = Object.entries(value ?? {}).map(([name, member]) => [
        name,
        schemaOf(member, path === '' ? name : `${path}.${name}`),
      ]);
      // helm itself puts `global` beside them.
      const global = path === '' ? { global: { type: 'object' } } : {};
      const properties = { ...Object.fromEntries(members), ...global };
      return { type: 'object', additionalProperties: false, properties };
    }
    default:
      throw new Error(`${path} is neither text, number, boolean nor an object`);
  }
}
