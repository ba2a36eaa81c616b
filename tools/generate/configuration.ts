import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A schema, as far as `bulla-config.schema.json` uses the language. */
interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const ROOT = join(import.meta.dirname, '../..');

/** `docs/configuration.md`: every member of `bulla.yaml`, from its schema. */
export function renderConfiguration(): string {
  const text = readFileSync(join(ROOT, 'docs/schemas/bulla-config.schema.json'), 'utf8');
  const root = JSON.parse(text) as Schema;
  const { properties = {} } = root;
  const alone = Object.entries(properties).filter(([, one]) => !isSection(root, one));
  const sections = Object.entries(properties).filter(([, one]) => isSection(root, one));
  return [
    HEAD,
    `## The server as a whole\n\n${tableOf(root, alone)}`,
    ...sections.map(([name, one]) => {
      const { description = '' } = one;
      return `## ${name}\n\n${description}\n\n${tableOf(root, [[name, one]])}`;
    }),
  ]
    .join('\n\n')
    .concat('\n');
}

const HEAD = `# bulla.yaml

<!-- Generated from docs/schemas/bulla-config.schema.json by \`npm run generate\`; do not edit. -->

Every member of the configuration of \`bulla serve\`. Nothing is required, every default is safe, and
unknown members are errors; \`bulla config check FILE\` lists every mistake with its line and column, and
\`bulla config init\` prints a file to begin with. \`[]\` stands for each item of a list, \`NAME\` for a name of
your own.

- Paths start from the folder of the file.
- A duration is a number with \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`, such as \`30s\`; a size one with \`B\`, \`KiB\`, \`MiB\`,
  \`GiB\` or \`TiB\`.
- A secret never stands in the file: a member that ends in \`Env\` names the environment variable that
  holds it.

Editors complete and check the file by its schema, [bulla-config.schema.json](schemas/bulla-config.schema.json).`;

function isSection(root: Schema, schema: Schema): boolean {
  return resolved(root, schema).properties !== undefined;
}

/** The schema behind a reference, under the description of the place that refers to it. */
function resolved(root: Schema, schema: Schema): Schema {
  const name = /^#\/\$defs\/(\w+)$/.exec(schema.$ref ?? '')?.[1];
  const target = name === undefined ? undefined : root.$defs?.[name];
  if (target === undefined) return schema;
  const { description = target.description } = schema;
  return { ...target, ...(description === undefined ? {} : { description }) };
}

function tableOf(root: Schema, members: readonly (readonly [string, Schema])[]): string {
  const rows = members.flatMap(([name, schema]) => rowsOf(root, name, schema));
  return ['| member | what it says |', '|---|---|', ...rows].join('\n');
}

/** A row for each member that has a value of its own, and for what it is made of. */
function rowsOf(root: Schema, path: string, schema: Schema, isNeeded = false): readonly string[] {
  const {
    description = '',
    properties,
    required = [],
    items,
    oneOf = [],
    ...rest
  } = resolved(root, schema);
  const inner = Object.entries(properties ?? {}).flatMap(([name, one]) =>
    rowsOf(root, `${path}.${name}`, one, required.includes(name)),
  );
  const named = rest.additionalProperties;
  const own =
    properties === undefined && path !== ''
      ? [`| \`${path}\` | ${cell(description, rest.enum, isNeeded)} |`]
      : [];
  return [
    ...own,
    ...inner,
    ...(items === undefined || resolved(root, items).properties === undefined
      ? []
      : rowsOf(root, `${path}[]`, items)),
    ...(typeof named === 'object' ? rowsOf(root, `${path}.NAME`, named) : []),
    ...oneOf.flatMap((one) =>
      resolved(root, one).properties === undefined ? [] : rowsOf(root, path, one),
    ),
  ];
}

function cell(
  description: string,
  values: readonly unknown[] | undefined,
  isNeeded: boolean,
): string {
  const says = /[\w)]$/.test(description) ? `${description}.` : description;
  const listed = values?.map((one) => `\`${String(one)}\``).join(', ');
  const parts = [
    says,
    listed === undefined ? '' : `One of ${listed}.`,
    isNeeded ? 'Required.' : '',
  ];
  return parts
    .filter((part) => part !== '')
    .join(' ')
    .replaceAll('|', '\\|');
}
