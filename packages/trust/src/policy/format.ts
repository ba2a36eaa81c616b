import { isDeepStrictEqual } from 'node:util';
import { Document, isMap, isNode, isScalar, Lexer, parseAllDocuments } from 'yaml';
import { plainValue } from '../bytes/yaml/node.ts';
import { parseYamlDocuments } from '../bytes/yaml/parse.ts';
import { hasErrors, problemLine } from '../bytes/yaml/problem.ts';
import { TrustFault } from '../fault/fault.ts';
import { orderMembers } from './format/order.ts';
import { tightenLists } from './format/tighten.ts';

const STYLE = {
  indent: 2,
  // No value is folded and no list broken: their writer chose the lines.
  lineWidth: 0,
  flowCollectionPadding: true,
  directives: false,
} as const;

/**
 * The text of a policy file in its one form: members in the order of the documentation, two spaces
 * of indentation, one `---` between documents, comments kept with what they stand at. A file whose
 * name ends in `.json` stays JSON. Formatting again changes nothing, and never does what the file
 * says change. Throws `policy.malformed` for what is not YAML; mistakes of the policy itself are
 * left as they are.
 */
export function formatPolicies(text: string, file: string): string {
  const before = valuesOf(text, file);
  const formatted = file.endsWith('.json') ? formatJson(before, file) : formatYaml(text);
  if (!isDeepStrictEqual(valuesOf(formatted, file), before)) {
    throw new TrustFault('internal.defect', 'formatting would have changed what the file says');
  }
  return formatted;
}

/** What the documents of a file say, without places and comments. */
function valuesOf(text: string, file: string): readonly unknown[] {
  const { documents, problems } = parseYamlDocuments(Buffer.from(text), file, 'policy.malformed');
  const [first] = problems;
  if (first !== undefined && hasErrors(problems)) {
    throw new TrustFault('policy.malformed', problemLine(first), first.remedy);
  }
  return documents.map(plainValue);
}

function formatJson(values: readonly unknown[], file: string): string {
  const [value, second] = values;
  if (value === undefined || second !== undefined) {
    throw new TrustFault(
      'policy.malformed',
      `expected one JSON document in ${file}, found ${values.length}`,
    );
  }
  const document = new Document(value);
  orderMembers(document.contents);
  return `${JSON.stringify(document.toJS(), null, 2)}\n`;
}

/** Comments can settle anew when lists before them move, which ends after a pass or two. */
const MAX_PASSES = 10;

function formatYaml(text: string): string {
  // With the mark of an encoding before it the library takes the first line for another one.
  let before = text.replace(/^\uFEFF/, '');
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const after = formatOnce(before);
    if (after === before) {
      requireComments(text, after);
      return after;
    }
    before = after;
  }
  throw new TrustFault('internal.defect', 'the form of the file does not settle');
}

/** The library drops some comments that stand where no member follows, such as two before a `---`. */
function requireComments(text: string, formatted: string): void {
  if (countComments(text) === countComments(formatted)) return;
  throw new TrustFault(
    'policy.malformed',
    'a comment stands where formatting would lose it: behind a member without a value, or at the end of a document',
    'Move the comment above the member that it is about.',
  );
}

/** Comments that say something. */
function countComments(text: string): number {
  let count = 0;
  for (const token of new Lexer().lex(text)) if (/^#[^\S\n]*\S/.test(token)) count++;
  return count;
}

function formatOnce(text: string): string {
  const documents = parseAllDocuments(text, {
    version: '1.2',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  // A text of comments alone has no document that would hold them.
  if (documents.length === 0) return commentLines(text.split('\n'));
  const parts = documents.map((document) => {
    // The values could be read, so another reader stumbles where the first did not.
    const [error] = document.errors;
    if (error !== undefined) throw new TrustFault('policy.malformed', error.message);
    if (isEmpty(document)) return commentsOf(document);
    keepHeader(document);
    orderMembers(document.contents);
    // The mark between documents is written below, above the comment of each.
    document.directives.docEnd = false;
    return tightenLists(document.toString(STYLE));
  });
  return parts.filter((part) => part !== '').join('---\n');
}

function isEmpty({ contents }: Document.Parsed): boolean {
  return (
    contents === null || (isScalar(contents) && contents.value === null && contents.source === '')
  );
}

function commentsOf({ commentBefore, comment, contents }: Document.Parsed): string {
  const written = [commentBefore, contents?.commentBefore, contents?.comment, comment];
  const texts = written.filter((text) => typeof text === 'string');
  return commentLines(texts.flatMap((text) => text.split('\n').map((line) => `#${line}`)));
}

function commentLines(lines: readonly string[]): string {
  const comments = lines.map((line) => line.trim()).filter((line) => /^#./.test(line));
  return comments.map((line) => `${line}\n`).join('');
}

/** What stands above the first member with a blank line between is about the whole document. */
function keepHeader(document: Document.Parsed): void {
  const { contents } = document;
  const first: unknown = isMap(contents) ? contents.items[0]?.key : null;
  for (const node of [contents, first]) {
    const above = isNode(node) ? node.commentBefore : null;
    const end = above?.lastIndexOf('\n\n') ?? -1;
    if (!isNode(node) || above == null || end === -1) continue;
    const { commentBefore } = document;
    const header = above.slice(0, end);
    document.commentBefore = commentBefore == null ? header : `${commentBefore}\n\n${header}`;
    node.commentBefore = above.slice(end + 2);
  }
}
