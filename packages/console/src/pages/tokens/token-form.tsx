import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';
import { createToken, type NewTokenAnswer } from '../../api/access.ts';
import { plural } from '../../parts/format.ts';
import { Panel } from '../../parts/page.tsx';
import { Notice, Problem } from '../../parts/states.tsx';
import { ACTIONS, LIVES, readTokenAsk } from './token-ask.ts';
import '../../parts/form.css';

/** Asks for a new token; `onDone` gets it, or null when it was given up. */
export function TokenForm(props: {
  readonly onDone: (made: NewTokenAnswer | null) => void;
}): ReactElement {
  const client = useQueryClient();
  const [lack, setLack] = useState<string | null>(null);
  const create = useMutation({
    mutationFn: createToken,
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['tokens'] });
      props.onDone(made);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const ask = readTokenAsk(new FormData(event.currentTarget));
    setLack(typeof ask === 'string' ? ask : null);
    if (typeof ask !== 'string') create.mutate(ask);
  };
  return (
    <Panel title="Create a token">
      {create.error === null ? null : <Problem error={create.error} />}
      {lack === null ? null : (
        <Notice tone="bad" live>
          {lack}
        </Notice>
      )}
      <form onSubmit={submit} noValidate>
        <div className="fields">
          <TextInput
            name="name"
            label="Name"
            placeholder="ci"
            required
            autoComplete="off"
            autoFocus
          />
          <TextInput
            name="repositories"
            label="Repositories"
            description="Names or globs; * stays within a slash"
            defaultValue="**"
            autoComplete="off"
            spellCheck={false}
          />
          <NativeSelect
            name="days"
            label="Expires in"
            defaultValue="90"
            data={LIVES.map((days) => ({ value: String(days), label: plural(days, 'day') }))}
          />
        </div>
        <fieldset className="choices">
          <legend>It may</legend>
          {ACTIONS.map(({ action, says }) => (
            <Checkbox
              key={action}
              name="action"
              value={action}
              label={action}
              description={says}
              size="xs"
              defaultChecked={action === 'pull'}
            />
          ))}
        </fieldset>
        <div className="form-acts">
          <Button type="submit" size="xs" loading={create.isPending}>
            Create
          </Button>
          <Button variant="default" size="xs" onClick={() => props.onDone(null)}>
            Cancel
          </Button>
        </div>
      </form>
    </Panel>
  );
}
