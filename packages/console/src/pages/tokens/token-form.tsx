import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';
import { createToken, type NewTokenAnswer } from '../../api/access.ts';
import { plural } from '../../parts/format.ts';
import { Panel } from '../../parts/page.tsx';
import { useSession } from '../../parts/session.tsx';
import { Notice, Problem } from '../../parts/states.tsx';
import { actionsOf, LIVES, PERMISSIONS, readTokenAsk } from './token-ask.ts';
import '../../parts/form.css';

/** Asks for a new token; `onDone` gets it, or null when it was given up. */
export function TokenForm(props: {
  readonly onDone: (made: NewTokenAnswer | null) => void;
}): ReactElement {
  const client = useQueryClient();
  const { user } = useSession();
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
          {actionsOf(user.role).length === 0 ? null : (
            <TextInput
              name="repositories"
              label="Repositories or globs"
              defaultValue="**"
              autoComplete="off"
              spellCheck={false}
            />
          )}
          <NativeSelect
            name="days"
            label="Expires in"
            defaultValue="90"
            data={LIVES.map((days) => ({ value: String(days), label: plural(days, 'day') }))}
          />
        </div>
        <Rights />
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

function Rights(): ReactElement {
  const { user, permissions } = useSession();
  const actions = actionsOf(user.role);
  return (
    <>
      {actions.length === 0 ? null : (
        <fieldset className="choices">
          <legend>With the repositories it may</legend>
          {actions.map(({ action, says }) => (
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
      )}
      <fieldset className="choices">
        <legend>With the product API it may</legend>
        {PERMISSIONS.filter(({ permission }) => permissions.includes(permission)).map(
          ({ permission, says }) => (
            <Checkbox
              key={permission}
              name="permission"
              value={permission}
              label={says}
              size="xs"
            />
          ),
        )}
      </fieldset>
    </>
  );
}
