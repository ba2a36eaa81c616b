import type { ReactElement } from 'react';
import { CopyButton } from '../../parts/copy.tsx';
import { Panel } from '../../parts/page.tsx';
import './policies.css';

/** A file by its lines. The numbers are drawn by the style sheet, so that copying leaves them out. */
export function PolicyText(props: { readonly file: string; readonly text: string }): ReactElement {
  const { file, text } = props;
  return (
    <Panel title={file} aside={<CopyButton text={text} what="policy text" />} flush>
      {/* biome-ignore lint/a11y: what scrolls must be reached by keys, and named */}
      <pre className="policy-text" tabIndex={0} role="group" aria-label={`Text of ${file}`}>
        {text
          .replace(/\n$/, '')
          .split('\n')
          .map((line, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line has nothing but its number
            <code key={index}>{line === '' ? '\u200b' : line}</code>
          ))}
      </pre>
    </Panel>
  );
}
