import { type CST, Parser } from 'yaml';

/** What a text says that this reader refuses, at an offset into it. */
export interface SyntaxRefusal {
  readonly offset: number;
  readonly message: string;
}

/** The tokens of a text, and what is refused before anything is made of them. */
export interface ScannedText {
  readonly tokens: readonly CST.Token[];
  readonly refusals: readonly SyntaxRefusal[];
}

export interface SyntaxLimits {
  readonly maxDepth: number;
  readonly maxNodes: number;
}

/** After so many refusals the rest of the file says nothing new. */
const MAX_REFUSALS = 50;

const REFUSED_TOKENS: ReadonlyMap<string, string> = new Map([
  [
    'anchor',
    'found an anchor (&): what a document says must stand where it holds, so write it out',
  ],
  ['alias', 'found an alias (*): what a document says must stand where it holds, so write it out'],
  ['tag', 'found a tag (!): values have the type that they are written in, so remove it'],
]);

/**
 * Splits a text into YAML tokens and walks them without recursion: depth, number of nodes, anchors,
 * aliases, tags and directives are refused here, before a composer that recurses sees them.
 * `addNewLine` learns the offset of each line's start.
 */
export function scanSyntax(
  text: string,
  limits: SyntaxLimits,
  addNewLine: (offset: number) => void,
): ScannedText {
  const tokens: CST.Token[] = [];
  const refusals: SyntaxRefusal[] = [];
  let nodes = 0;
  for (const token of new Parser(addNewLine).parse(text)) {
    tokens.push(token);
    nodes += 1 + walk(token, limits, refusals);
    if (nodes > limits.maxNodes) {
      const message = `expected at most ${limits.maxNodes} values in one file, found more`;
      refusals.push({ offset: token.offset, message });
    }
    if (nodes > limits.maxNodes || refusals.length >= MAX_REFUSALS) break;
  }
  return { tokens, refusals };
}

interface Step {
  readonly token: CST.Token;
  readonly depth: number;
}

/** Number of nodes under a token; adds to `refusals`. */
function walk(root: CST.Token, limits: SyntaxLimits, refusals: SyntaxRefusal[]): number {
  const stack: Step[] = [{ token: root, depth: 0 }];
  let nodes = 0;
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    const { token, depth } = step;
    nodes++;
    if (depth > limits.maxDepth) {
      const message = `expected at most ${limits.maxDepth} levels, found more`;
      refusals.push({ offset: token.offset, message });
      return nodes;
    }
    if (nodes > limits.maxNodes || refusals.length >= MAX_REFUSALS) return nodes;
    refuse(token, refusals);
    for (const child of childrenOf(token))
      stack.push({ token: child, depth: depthOf(child, depth) });
  }
  return nodes;
}

function depthOf(token: CST.Token, parent: number): number {
  return 'items' in token ? parent + 1 : parent;
}

function refuse(token: CST.Token, refusals: SyntaxRefusal[]): void {
  if (token.type === 'directive') {
    const message = 'found a directive (%): a document is YAML 1.2 as it stands, so remove it';
    refusals.push({ offset: token.offset, message });
    return;
  }
  const message = REFUSED_TOKENS.get(token.type);
  if (message !== undefined) refusals.push({ offset: token.offset, message });
}

function childrenOf(token: CST.Token): CST.Token[] {
  const children: CST.Token[] = [];
  if ('props' in token) children.push(...written(token.props ?? []));
  if (token.type === 'document') {
    children.push(...written(token.start));
    if (token.value !== undefined) children.push(token.value);
  }
  if ('items' in token) {
    for (const { start, key, sep, value } of token.items) {
      children.push(...written(start));
      if (key !== undefined && key !== null) children.push(key);
      if (sep !== undefined) children.push(...written(sep));
      if (value !== undefined) children.push(value);
    }
  }
  return children;
}

/** Anchors and tags stand among the spaces, comments and signs before a value. */
function written(tokens: readonly CST.Token[]): CST.Token[] {
  return tokens.filter(({ type }) => type === 'anchor' || type === 'tag');
}
