import { Button, TextInput } from '@mantine/core';
import { type FormEvent, type ReactElement, useEffect, useRef, useState } from 'react';
import { Notice, Problem } from './states.tsx';
import './form.css';

/** What has to be said why. */
interface SayProps {
  /** What is done: `Revoke`. */
  readonly word: string;
  /** To what: a name. */
  readonly what: string;
  /** What is asked for: `Why`. */
  readonly label: string;
  /** What follows from it. */
  readonly says: string;
  readonly danger?: boolean;
  readonly pending: boolean;
  readonly error: unknown;
  readonly onSay: (text: string) => void;
}

/** A button for what has to be said why: it opens a line for the words, and sends them. */
export function SayForm(props: SayProps): ReactElement {
  const { word, what } = props;
  const [open, setOpen] = useState(false);
  const opened = useRef(false);
  const opener = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // Whoever gives it up goes on from where they were.
    if (!open && opened.current) opener.current?.focus();
    opened.current = open;
  }, [open]);
  if (open) return <Words {...props} onCancel={() => setOpen(false)} />;
  return (
    <Button
      ref={opener}
      variant="default"
      size="xs"
      aria-label={`${word} ${what}`}
      onClick={() => setOpen(true)}
    >
      {word}
    </Button>
  );
}

function Words(props: SayProps & { readonly onCancel: () => void }): ReactElement {
  const { word, what, label, says, danger = false, pending, error, onSay, onCancel } = props;
  const [empty, setEmpty] = useState(false);
  // What was said takes the form away, and the focus in it: reading goes on in the page.
  useEffect(() => focusContent, []);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget).get('says') ?? '').trim();
    setEmpty(text === '');
    if (text !== '') onSay(text);
  };
  return (
    <form className="say" onSubmit={submit} aria-label={`${word} ${what}`} noValidate>
      {error === null ? null : <Problem error={error} />}
      {empty ? (
        <Notice tone="bad" live>
          Write a sentence: the record keeps it.
        </Notice>
      ) : null}
      <TextInput
        name="says"
        label={label}
        description={says}
        required
        maxLength={4096}
        autoComplete="off"
        autoFocus
      />
      <div className="form-acts">
        <Button type="submit" size="xs" {...(danger ? { color: 'red' } : {})} loading={pending}>
          {word}
        </Button>
        <Button variant="default" size="xs" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

function focusContent(): void {
  if (document.activeElement !== document.body) return;
  document.getElementById('content')?.focus({ preventScroll: true });
}
