/** A JSON schema of ours, as far as it is read here. */
export type Schema = { readonly [key: string]: unknown };

/** How often a definition may lie within itself before what is below is left to the server. */
const DEEPEST = 1;
const PRESERVE = 'x-kubernetes-preserve-unknown-fields';
const KEPT = [
  ...['pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems'],
  ...['minProperties', 'maxProperties', 'required'],
] as const;

/**
 * A schema as a CustomResourceDefinition may have it ("structural"): no references, one type for each
 * value, and no words that the API server does not know (`uniqueItems`, `propertyNames`,
 * `dependentRequired`). Unknown members are kept: the API server would else drop a misspelt one
 * without a word, and the policy would mean something else than was written; the server refuses it
 * by its name. Definitions within themselves end after one round, and go on unchecked.
 */
export function structural(root: Schema, name: string): Schema {
  const definitions = asSchema(root['$defs']);
  const convert = (given: Schema, within: readonly string[]): Schema => {
    const reference =
      typeof given['$ref'] === 'string' ? given['$ref'].slice('#/$defs/'.length) : null;
    if (reference !== null) {
      const { $ref: _, ...beside } = given;
      const found = { ...asSchema(definitions[reference]), ...beside };
      const rounds = within.filter((each) => each === reference).length;
      return rounds > DEEPEST ? open(found) : convert(found, [...within, reference]);
    }
    const type = typeOf(given);
    if (type === null) return { ...described(given), [PRESERVE]: true };
    const next = (each: unknown) => convert(asSchema(each), within);
    const kept = KEPT.filter((key) => key in given).map((key) => [key, given[key]]);
    const values = valuesOf(given);
    return {
      ...described(given),
      type,
      ...Object.fromEntries(kept),
      ...(values === null ? {} : { enum: values }),
      ...(given['items'] === undefined ? {} : { items: next(given['items']) }),
      ...(type === 'object' ? members(given, next) : {}),
      ...conditions(given),
    };
  };
  return convert({ $ref: `#/$defs/${name}` }, []);
}

function members(given: Schema, next: (each: unknown) => Schema): Schema {
  const { properties, additionalProperties } = given;
  if (properties === undefined && typeof additionalProperties === 'object') {
    return { additionalProperties: next(additionalProperties) };
  }
  const named = Object.entries(asSchema(properties ?? {})).map(([key, each]) => [key, next(each)]);
  const all = named.length === 0 ? {} : { properties: Object.fromEntries(named) };
  return { ...all, [PRESERVE]: true };
}

function open(given: Schema): Schema {
  return { ...described(given), type: 'object', [PRESERVE]: true };
}

function described({ description }: Schema): Schema {
  return description === undefined ? {} : { description };
}

/** Null where a value may be of several types: such a member is left to the server. */
function typeOf(given: Schema): string | null {
  if (typeof given['type'] === 'string') return given['type'];
  const values = valuesOf(given);
  if (values !== null) return typeof values[0];
  const types = alternativesOf(given).map(typeOf);
  return types.length > 0 && types.every((type) => type === types[0]) ? (types[0] ?? null) : null;
}

function valuesOf(given: Schema): readonly unknown[] | null {
  if ('const' in given) return [given['const']];
  return Array.isArray(given['enum']) ? given['enum'] : null;
}

function alternativesOf(given: Schema): readonly Schema[] {
  return [given['oneOf'] ?? given['anyOf'] ?? []].flat().map(asSchema);
}

/** `oneOf`, `anyOf` and `not` may only narrow: they have no types, descriptions or unknown members. */
function conditions(given: Schema): Schema {
  const found: Record<string, unknown> = {};
  for (const word of ['oneOf', 'anyOf'] as const) {
    const list = given[word];
    if (Array.isArray(list)) found[word] = list.map((each) => condition(asSchema(each)));
  }
  if (given['not'] !== undefined) found['not'] = condition(asSchema(given['not']));
  return found;
}

function condition(given: Schema): Schema {
  const values = valuesOf(given);
  const properties = Object.entries(asSchema(given['properties'] ?? {}));
  return {
    ...Object.fromEntries(KEPT.filter((key) => key in given).map((key) => [key, given[key]])),
    ...(values === null ? {} : { enum: values }),
    ...(properties.length === 0
      ? {}
      : {
          properties: Object.fromEntries(
            properties.map(([key, each]) => [key, condition(asSchema(each))]),
          ),
        }),
  };
}

function asSchema(value: unknown): Schema {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value));
  }
  throw new Error(`expected a schema, found ${JSON.stringify(value)}`);
}
