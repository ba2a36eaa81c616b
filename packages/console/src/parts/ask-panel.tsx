import { Button } from '@mantine/core';
import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, type ReactNode, useState } from 'react';
import { Panel } from './page.tsx';
import { Notice, Problem } from './states.tsx';
import './form.css';

/** A form in a panel that asks the server for something new. */
export function AskPanel<Ask extends object, Made>(props: {
  readonly title: string;
  /** What the button says: `Create`. */
  readonly word: string;
  readonly className?: string;
  /** What the form asks for, or the sentence that says what it lacks; then nothing is sent. */
  readonly read: (form: FormData) => Ask | string;
  /** Set where `read` checks what the browser would, and says it better. */
  readonly noValidate?: boolean;
  readonly send: (ask: Ask) => Promise<Made>;
  /** What is read anew when it was made. */
  readonly changes: QueryKey;
  /** Gets what was made, or null when it was given up. */
  readonly onDone: (made: Made | null) => void;
  /** The fields. */
  readonly children: ReactNode;
}): ReactElement {
  const { title, word, className, read, noValidate, send, changes, onDone, children } = props;
  const client = useQueryClient();
  const [lack, setLack] = useState<string | null>(null);
  const made = useMutation({
    mutationFn: send,
    onSuccess: async (one) => {
      await client.invalidateQueries({ queryKey: changes });
      onDone(one);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const ask = read(new FormData(event.currentTarget));
    setLack(typeof ask === 'string' ? ask : null);
    if (typeof ask !== 'string') made.mutate(ask);
  };
  return (
    <Panel title={title}>
      {made.error === null ? null : <Problem error={made.error} />}
      {lack === null ? null : (
        <Notice tone="bad" live>
          {lack}
        </Notice>
      )}
      <form className={className} onSubmit={submit} noValidate={noValidate}>
        {children}
        <div className="form-acts">
          <Button type="submit" size="xs" loading={made.isPending}>
            {word}
          </Button>
          <Button variant="default" size="xs" onClick={() => onDone(null)}>
            Cancel
          </Button>
        </div>
      </form>
    </Panel>
  );
}
