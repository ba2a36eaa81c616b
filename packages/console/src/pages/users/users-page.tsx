import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';
import { type UserAnswer, usersQuery } from '../../api/access.ts';
import { Answered } from '../../parts/answered.tsx';
import { Snippet } from '../../parts/copy.tsx';
import { Label } from '../../parts/mark.tsx';
import { Page } from '../../parts/page.tsx';
import { useMay } from '../../parts/session.tsx';
import { linkAddress } from '../../parts/sign-in-link.ts';
import { Notice } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago } from '../../parts/values.tsx';
import { AddForm } from './add-form.tsx';
import { UserActs } from './user-acts.tsx';

/** A link that was just made, and whom it is for. */
interface Issued {
  readonly user: string;
  readonly secret: string;
}

/** Who may sign in, and as what. */
export function UsersPage(): ReactElement {
  const query = useQuery(usersQuery());
  const may = useMay('users.manage');
  const [adding, setAdding] = useState(false);
  const [issued, setIssued] = useState<Issued | null>(null);
  const acts: Column<UserAnswer> = {
    title: 'Actions',
    kind: 'acts',
    cell: (user) => (
      <UserActs user={user} onLink={({ secret }) => setIssued({ user: user.name, secret })} />
    ),
  };
  const add = (
    <Button size="xs" onClick={() => setAdding(true)}>
      Add a user
    </Button>
  );
  return (
    <Page
      title="Users"
      lead="People who sign in here. Programs use tokens."
      acts={may && !adding ? add : undefined}
    >
      <div className="stack">
        {adding ? (
          <AddForm
            onDone={(added) => {
              setAdding(false);
              if (added !== null) setIssued({ user: added.user.name, secret: added.link.secret });
            }}
          />
        ) : null}
        {issued === null ? null : <LinkNotice issued={issued} />}
        <Answered query={query} rows={4}>
          {(data) => (
            <div className="results">
              <DataTable
                caption="Users"
                columns={may ? [...COLUMNS, acts] : COLUMNS}
                rows={data.users}
                rowKey={({ id }) => id}
              />
            </div>
          )}
        </Answered>
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

function LinkNotice({ issued }: { readonly issued: Issued }): ReactElement {
  const { user, secret } = issued;
  return (
    <Notice tone="good" live>
      <p>
        Send {user} this link. It works once, for a day, and is shown only now; with it they choose
        a password.
      </p>
      <Snippet text={linkAddress(location.origin, secret, user)} what="sign-in link" />
    </Notice>
  );
}
