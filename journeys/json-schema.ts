import { isDeepStrictEqual } from 'node:util';

type Json = Readonly<Record<string, unknown>>;

/** The keywords of draft 2020-12 that are understood; a schema with another one is an error. */
const KEYWORDS = new Set([
  ...['$schema', '$id', '$defs', '$ref', 'title', 'description', 'const', 'enum', 'anyOf'],
  ...['type', 'required', 'properties', 'additionalProperties', 'items', 'pattern', 'minimum'],
]);

/** Every violation of a JSON Schema, as `PATH: what is wrong`; empty when the value fits. */
export function violations(schema: Json, value: unknown): readonly string[] {
  return check(schema, value, '$', schema);
}

function check(schema: Json, value: unknown, path: string, root: Json): readonly string[] {
  const strange = Object.keys(schema).find((keyword) => !KEYWORDS.has(keyword));
  if (strange !== undefined) throw new Error(`${path}: keyword ${strange} is not understood`);
  const found: string[] = [];
  const wrong = (what: string) => found.push(`${path}: ${what}`);
  const { $ref, const: only, enum: choices, anyOf, type, pattern, minimum } = schema;
  if (typeof $ref === 'string') found.push(...check(defined(root, $ref), value, path, root));
  if ('const' in schema && !isDeepStrictEqual(value, only)) wrong(`is not ${String(only)}`);
  if (Array.isArray(choices) && !choices.includes(value)) wrong(`is none of ${choices.join(' ')}`);
  if (Array.isArray(anyOf)) {
    const fits = anyOf.some((each) => check(each, value, path, root).length === 0);
    if (!fits) wrong('fits no alternative');
  }
  if (type !== undefined && ![type].flat().some((name) => isOfType(value, String(name)))) {
    wrong(`is not of type ${[type].flat().join(' or ')}`);
  }
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(String(value))) {
    wrong(`does not match ${pattern}`);
  }
  if (typeof minimum === 'number' && !(Number(value) >= minimum)) wrong(`is below ${minimum}`);
  found.push(...checkMembers(schema, value, path, root));
  return found;
}

function checkMembers(schema: Json, value: unknown, path: string, root: Json): readonly string[] {
  const found: string[] = [];
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!isRecord(items)) return [];
    return value.flatMap((item, index) => check(items, item, `${path}[${index}]`, root));
  }
  if (!isRecord(value)) return found;
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  for (const name of [schema['required'] ?? []].flat()) {
    if (!(String(name) in value)) found.push(`${path}: lacks ${String(name)}`);
  }
  for (const [name, member] of Object.entries(value)) {
    const known = properties[name];
    if (isRecord(known)) found.push(...check(known, member, `${path}.${name}`, root));
    else if (schema['additionalProperties'] === false) found.push(`${path}: has ${name}`);
  }
  return found;
}

function defined(root: Json, reference: string): Json {
  const name = /^#\/\$defs\/(\w+)$/.exec(reference)?.[1] ?? '';
  const definitions = root['$defs'];
  const definition = isRecord(definitions) ? definitions[name] : undefined;
  if (!isRecord(definition)) throw new Error(`the schema does not define ${reference}`);
  return definition;
}

function isOfType(value: unknown, name: string): boolean {
  switch (name) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isRecord(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === name;
  }
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
