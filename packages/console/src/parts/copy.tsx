import { type ReactElement, useEffect, useState } from 'react';
import { Icon } from './icons.tsx';
import './copy.css';

const SHOWN_MS = 2000;

/** A button that copies `text` and says so, also to those who do not see it. */
export function CopyButton(props: {
  readonly text: string;
  /** What is copied: `digest`, `command`. */
  readonly what: string;
  readonly compact?: boolean;
}): ReactElement {
  const { text, what, compact = false } = props;
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  useEffect(() => {
    if (state === 'idle') return undefined;
    const timer = setTimeout(() => setState('idle'), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setState('copied'),
      () => setState('failed'),
    );
  };
  const word = state === 'copied' ? 'Copied' : state === 'failed' ? 'Not copied' : 'Copy';
  return (
    <button
      type="button"
      className={compact ? 'copy copy-compact' : 'copy'}
      data-state={state}
      onClick={copy}
      aria-label={`Copy ${what}`}
    >
      <Icon name={state === 'copied' ? 'check' : state === 'failed' ? 'cross' : 'copy'} />
      {compact ? null : <span className="copy-word">{word}</span>}
      <span className="for-readers" role="status">
        {state === 'idle' ? '' : word}
      </span>
    </button>
  );
}

/** Text in a box of its own with a button that copies it: a command, a file, a token. */
export function Snippet(props: {
  readonly text: string;
  readonly what: string;
  readonly caption?: string;
}): ReactElement {
  const { text, what, caption } = props;
  return (
    <figure className="snippet">
      <figcaption>
        <span>{caption ?? what}</span>
        <CopyButton text={text} what={what} />
      </figcaption>
      {/* biome-ignore lint/a11y: what scrolls must be reached by keys, and named */}
      <pre tabIndex={0} role="group" aria-label={what}>
        <code>{text}</code>
      </pre>
    </figure>
  );
}
