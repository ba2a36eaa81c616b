import { Button } from '@mantine/core';
import { type ReactElement, useEffect, useRef, useState } from 'react';
import { Problem } from './states.tsx';
import './form.css';

/** A button for what cannot be undone by itself: it asks once more, where it stands. */
export function Confirm(props: {
  /** What is done: `Disable`. */
  readonly word: string;
  /** To what: a name. */
  readonly what: string;
  /** What follows from it. */
  readonly says: string;
  readonly pending: boolean;
  readonly error: unknown;
  readonly onConfirm: () => void;
}): ReactElement {
  const { word, what, says, pending, error, onConfirm } = props;
  const [asking, setAsking] = useState(false);
  const asked = useRef(false);
  const opener = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // Whoever keeps it as it is goes on from where they were.
    if (!asking && asked.current) opener.current?.focus();
    asked.current = asking;
  }, [asking]);
  if (!asking) {
    return (
      <Button
        ref={opener}
        variant="default"
        size="compact-xs"
        aria-label={`${word} ${what}`}
        onClick={() => setAsking(true)}
      >
        {word}
      </Button>
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot stand in a line
    <div className="confirm" role="group" aria-label={`${word} ${what}`}>
      <span className="dim">{says}</span>
      <span className="confirm-acts">
        <Button color="red" size="compact-xs" loading={pending} autoFocus onClick={onConfirm}>
          {word}
        </Button>
        <Button variant="default" size="compact-xs" onClick={() => setAsking(false)}>
          Keep
        </Button>
      </span>
      {error === null ? null : <Problem error={error} />}
    </div>
  );
}
