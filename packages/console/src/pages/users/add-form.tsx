import { NativeSelect, TextInput } from '@mantine/core';
import type { ReactElement } from 'react';
import { type AddedUser, addUser } from '../../api/access.ts';
import { AskPanel } from '../../parts/ask-panel.tsx';
import { useMay } from '../../parts/session.tsx';
import { readRole, roleOptions } from './roles.ts';

/** Asks for a new user; `onDone` gets them with their link, or null when it was given up. */
export function AddForm(props: {
  readonly onDone: (added: AddedUser | null) => void;
}): ReactElement {
  const mayOwners = useMay('owners.manage');
  return (
    <AskPanel
      title="Add a user"
      word="Add"
      read={readUser}
      send={addUser}
      changes={['users']}
      onDone={props.onDone}
    >
      <div className="fields">
        <TextInput name="name" label="Name" required autoComplete="off" autoFocus />
        <NativeSelect
          name="role"
          label="Role"
          defaultValue="viewer"
          data={roleOptions(mayOwners)}
        />
      </div>
    </AskPanel>
  );
}

function readUser(form: FormData) {
  return { name: String(form.get('name')), role: readRole(String(form.get('role'))) };
}
