import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';
import {
  addUser,
  type NewUserAnswer,
  setUserDisabled,
  type UserAnswer,
  usersQuery,
} from '../../api/access.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Snippet } from '../../parts/copy.tsx';
import { Label } from '../../parts/mark.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { useMay, useSession } from '../../parts/session.tsx';
import { Loading, Notice, Problem } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago } from '../../parts/values.tsx';
import { ROLES, readRole } from './roles.ts';
import '../../parts/form.css';

/** Who may sign in, and as what. */
export function UsersPage(): ReactElement {
  const { data, error, refetch } = useQuery(usersQuery());
  const may = useMay('users.manage');
  const [adding, setAdding] = useState(false);
  const [added, setAdded] = useState<NewUserAnswer | null>(null);
  return (
    <Page
      title="Users"
      lead="People who sign in here. Programs use tokens."
      acts={
        may && !adding ? (
          <Button size="xs" onClick={() => setAdding(true)}>
            Add a user
          </Button>
        ) : undefined
      }
    >
      <div className="stack">
        {adding ? (
          <AddForm
            onDone={(answer) => {
              setAdding(false);
              setAdded(answer);
            }}
          />
        ) : null}
        {added === null ? null : <AddedNotice added={added} />}
        {error === null ? null : <Problem error={error} retry={() => void refetch()} />}
        {data === undefined && error === null ? <Loading rows={4} /> : null}
        {data === undefined ? null : (
          <div className="results">
            <DataTable
              caption="Users"
              columns={may ? [...COLUMNS, ACTS] : COLUMNS}
              rows={data.users}
              rowKey={({ id }) => id}
            />
          </div>
        )}
      </div>
    </Page>
  );
}

const COLUMNS: readonly Column<UserAnswer>[] = [
  { title: 'Name', kind: 'main', cell: ({ name }) => <strong>{name}</strong> },
  { title: 'Role', cell: ({ role }) => role },
  { title: 'State', cell: (user) => <UserState user={user} /> },
  { title: 'Added', cell: ({ created }) => <Ago at={created} /> },
];

const ACTS: Column<UserAnswer> = {
  title: 'Actions',
  kind: 'acts',
  cell: (user) => <UserActs user={user} />,
};

function UserState({ user }: { readonly user: UserAnswer }): ReactElement {
  if (user.disabled !== null) {
    return (
      <Label tone="bad" icon="cross">
        disabled
      </Label>
    );
  }
  return user.hasPassword ? (
    <Label tone="good" icon="check">
      active
    </Label>
  ) : (
    <Label tone="warn" icon="clock">
      invited
    </Label>
  );
}

function UserActs({ user }: { readonly user: UserAnswer }): ReactElement | null {
  const client = useQueryClient();
  const { user: self } = useSession();
  const change = useMutation({
    mutationFn: (disabled: boolean) => setUserDisabled(user.id, disabled),
    onSuccess: () => client.invalidateQueries({ queryKey: ['users'] }),
  });
  // Nobody locks the door behind themselves.
  if (user.id === self.id) return null;
  if (user.disabled !== null) {
    return (
      <Button
        variant="default"
        size="compact-xs"
        loading={change.isPending}
        aria-label={`Enable ${user.name}`}
        onClick={() => change.mutate(false)}
      >
        Enable
      </Button>
    );
  }
  return (
    <Confirm
      word="Disable"
      what={user.name}
      says="Ends all sessions and tokens of this user."
      pending={change.isPending}
      error={change.error}
      onConfirm={() => change.mutate(true)}
    />
  );
}

function AddForm(props: { readonly onDone: (added: NewUserAnswer | null) => void }): ReactElement {
  const client = useQueryClient();
  const add = useMutation({
    mutationFn: addUser,
    onSuccess: async (answer) => {
      await client.invalidateQueries({ queryKey: ['users'] });
      props.onDone(answer);
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
          <TextInput
            name="name"
            label="Name"
            required
            autoComplete="off"
            data-autofocus
            autoFocus
          />
          <NativeSelect
            name="role"
            label="Role"
            defaultValue="viewer"
            data={ROLES.map(({ role, says }) => ({ value: role, label: `${role}: ${says}` }))}
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

function AddedNotice({ added }: { readonly added: NewUserAnswer }): ReactElement {
  return (
    <Notice tone="good" live>
      <p>
        {added.user.name} was added. Send them this link, which works once and is shown only now;
        with it they choose a password.
      </p>
      <Snippet text={added.link} what="sign-in link" />
    </Notice>
  );
}
