import { type Node, parseSync, visitorKeys } from 'oxc-parser';

/** What one source file does that the layer test judges. */
export interface SourceFacts {
  /** Module specifiers of every kind of import: static, re-export, dynamic, type, `import('x').T`. */
  readonly imports: readonly string[];
  /** Those of `imports` that are more than `import type`: something of them is there at run time. */
  readonly valueImports: readonly string[];
  /** Dynamic imports whose specifier is not a literal, so that nothing can be said about them. */
  readonly opaqueImports: number;
  readonly defaultExport: boolean;
  readonly starExport: boolean;
  /** The clock, chance, environment and network that the file reaches for as globals. */
  readonly ambient: readonly string[];
}

/**
 * Reads the imports, exports and ambient inputs of one TypeScript file from its syntax tree, so
 * that neither a comment nor a string can hide or fake one. Throws when the text does not parse: a
 * file that cannot be read must not count as clean.
 */
export function scan(path: string, text: string): SourceFacts {
  const { program, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path} does not parse: ${error.message}`);
  const facts = {
    imports: [] as string[],
    valueImports: [] as string[],
    opaqueImports: 0,
    defaultExport: false,
    starExport: false,
    ambient: [] as string[],
  };
  const found = (specifier: string, isValue: boolean): void => {
    facts.imports.push(specifier);
    if (isValue) facts.valueImports.push(specifier);
  };
  const bound = boundNames(program);
  walk(program, (node) => {
    switch (node.type) {
      case 'ImportDeclaration':
        found(node.source.value, node.importKind !== 'type');
        break;
      case 'ExportNamedDeclaration':
        if (node.source !== null) found(node.source.value, node.exportKind !== 'type');
        break;
      case 'ExportAllDeclaration':
        facts.starExport = true;
        found(node.source.value, node.exportKind !== 'type');
        break;
      case 'ExportDefaultDeclaration':
        facts.defaultExport = true;
        break;
      case 'ImportExpression':
        if (isText(node.source)) found(node.source.value, true);
        else facts.opaqueImports += 1;
        break;
      case 'TSImportType':
        found(node.source.value, false);
        break;
      default: {
        const name = ambientName(node);
        // A `fetch` or `process` that came in as an argument is what the design asks for.
        if (name !== null && !bound.has(name.replace(/\W.*/, ''))) facts.ambient.push(name);
      }
    }
  });
  return facts;
}

/** A function of a file: where it begins, and how many lines are its own. */
export interface FunctionSize {
  readonly line: number;
  readonly lines: number;
}

/**
 * Every function of `text` with its lines, not counting those of functions inside it: an object of
 * closures is as long as its longest member, not as their sum.
 */
export function functionSizes(path: string, text: string): readonly FunctionSize[] {
  const sizes: { readonly line: number; lines: number; readonly end: number }[] = [];
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length;
  // The walk meets an outer function before its inner ones, so the last that encloses is the parent.
  walk(parseSync(path, text).program, (node) => {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type))
      return;
    const line = lineOf(node.start);
    const lines = lineOf(node.end) - line + 1;
    const parent = sizes.findLast(({ end }) => node.end <= end);
    if (parent !== undefined) parent.lines -= lines - 1;
    sizes.push({ line, lines, end: node.end });
  });
  return sizes.map(({ line, lines }) => ({ line, lines }));
}

/** The ambient input that a node reaches for, or null. */
function ambientName(node: Node): string | null {
  switch (node.type) {
    case 'NewExpression':
      return named(node.callee, 'Date') && node.arguments.length === 0 ? 'new Date()' : null;
    case 'CallExpression':
      if (named(node.callee, 'Date')) return 'Date()';
      return named(node.callee, 'fetch') ? 'fetch()' : null;
    case 'MemberExpression': {
      const property = memberName(node);
      if (property === 'now' && named(node.object, 'Date')) return 'Date.now';
      if (property === 'random' && named(node.object, 'Math')) return 'Math.random';
      return property === 'env' && named(node.object, 'process') ? 'process.env' : null;
    }
    default:
      return null;
  }
}

/** Every name that the file itself binds: parameters, variables, functions, imports. */
function boundNames(program: Node): ReadonlySet<string> {
  const names = new Set<string>();
  const bind = (pattern: unknown): void => {
    if (isNode(pattern))
      walk(pattern, (node) => node.type === 'Identifier' && names.add(node.name));
  };
  walk(program, (node) => {
    if ('params' in node && Array.isArray(node.params)) node.params.forEach(bind);
    else if (node.type === 'ImportSpecifier') bind(node.local);
    if (node.type === 'VariableDeclarator' || node.type === 'FunctionDeclaration') bind(node.id);
  });
  return names;
}

/** True for the identifier `name` and for `globalThis.name`. */
function named(node: Node, name: string): boolean {
  if (node.type === 'Identifier') return node.name === name;
  if (node.type !== 'MemberExpression') return false;
  return named(node.object, 'globalThis') && memberName(node) === name;
}

function memberName(node: Node & { readonly type: 'MemberExpression' }): string | null {
  if (!node.computed) return 'name' in node.property ? String(node.property.name) : null;
  return isText(node.property) ? node.property.value : null;
}

function isText(node: Node): node is Node & { readonly type: 'Literal'; readonly value: string } {
  return node.type === 'Literal' && typeof node.value === 'string';
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const key of visitorKeys[node.type] ?? []) {
    const child: unknown = Reflect.get(node, key);
    for (const each of Array.isArray(child) ? child : [child]) {
      if (isNode(each)) walk(each, visit);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}
