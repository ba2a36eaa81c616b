import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent, ReactElement } from 'react';
import { type AddedUser, addUser } from '../../api/access.ts';
import { Panel } from '../../parts/page.tsx';
import { useMay } from '../../parts/session.tsx';
import { Problem } from '../../parts/states.tsx';
import { readRole, roleOptions } from './roles.ts';
import '../../parts/form.css';

/** Asks for a new user; `onDone` gets them with their link, or null when it was given up. */
export function AddForm(props: {
  readonly onDone: (added: AddedUser | null) => void;
}): ReactElement {
  const client = useQueryClient();
  const mayOwners = useMay('owners.manage');
  const add = useMutation({
    mutationFn: addUser,
    onSuccess: async (added) => {
      await client.invalidateQueries({ queryKey: ['users'] });
      props.onDone(added);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    add.mutate({ name: String(form.get('name')), role: readRole(String(form.get('role'))) });
  };
  return (
    <Panel title="Add a user">
      {add.error === null ? null : <Problem error={add.error} />}
      <form onSubmit={submit}>
        <div className="fields">
          <TextInput name="name" label="Name" required autoComplete="off" autoFocus />
          <NativeSelect
            name="role"
            label="Role"
            defaultValue="viewer"
            data={roleOptions(mayOwners)}
          />
        </div>
        <div className="form-acts">
          <Button type="submit" size="xs" loading={add.isPending}>
            Add
          </Button>
          <Button variant="default" size="xs" onClick={() => props.onDone(null)}>
            Cancel
          </Button>
        </div>
      </form>
    </Panel>
  );
}
