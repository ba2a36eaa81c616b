/** A block of a document that a comment on the line before its fence marks. */
export interface MarkedBlock {
  /** The comment, such as `policy` or `policy-test: tests/a.test.yaml`; empty where there is none. */
  readonly mark: string;
  readonly language: string;
  readonly text: string;
  /** The line of the fence, from 1. */
  readonly line: number;
}

const FENCE = /(?:^<!-- (?<mark>[^\n]*) -->\n)?^```(?<language>[a-z]+)\n(?<text>[\s\S]*?)^```$/gm;

/** The code blocks of a Markdown document, in order. */
export function markedBlocks(markdown: string): readonly MarkedBlock[] {
  return [...markdown.matchAll(FENCE)].map(({ groups, index }) => {
    const { mark = '', language = '', text = '' } = groups ?? {};
    const comment = mark === '' ? 0 : 1;
    const line = markdown.slice(0, index).split('\n').length + comment;
    return { mark, language, text, line };
  });
}

/** The files that a document's blocks are, by the marks `KIND: FILE`. */
export function markedFiles(
  markdown: string,
  kind: string,
): readonly { readonly file: string; readonly text: string }[] {
  return markedBlocks(markdown).flatMap(({ mark, text }) =>
    mark.startsWith(`${kind}: `) ? [{ file: mark.slice(kind.length + 2), text }] : [],
  );
}
