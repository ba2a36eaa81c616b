import { Button, NativeSelect } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';
import { changeUser, type LinkAnswer, makeLink, type UserAnswer } from '../../api/access.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { useMay, useSession } from '../../parts/session.tsx';
import { Problem } from '../../parts/states.tsx';
import { readRole, roleOptions } from './roles.ts';

/** What may be done with a user: another role, a new link, an end or a restart. */
export function UserActs(props: {
  readonly user: UserAnswer;
  readonly onLink: (link: LinkAnswer) => void;
}): ReactElement | null {
  const { user, onLink } = props;
  const client = useQueryClient();
  const { user: self } = useSession();
  const mayOwners = useMay('owners.manage');
  const [choosing, setChoosing] = useState(false);
  const change = useMutation({
    mutationFn: (to: Parameters<typeof changeUser>[1]) => changeUser(user.id, to),
    onSuccess: () => client.invalidateQueries({ queryKey: ['users'] }),
  });
  const link = useMutation({ mutationFn: () => makeLink(user.id), onSuccess: onLink });
  // Nobody locks the door behind themselves, and only owners change owners.
  if (user.id === self.id || (user.role === 'owner' && !mayOwners)) return null;
  if (choosing) {
    return (
      <RoleForm
        user={user}
        onDone={(role) => {
          setChoosing(false);
          if (role !== null && role !== user.role) change.mutate({ role });
        }}
      />
    );
  }
  const button = (word: string, onClick: () => void, pending: boolean) => (
    <Button
      variant="default"
      size="compact-xs"
      loading={pending}
      aria-label={`${word} of ${user.name}`}
      onClick={onClick}
    >
      {word}
    </Button>
  );
  const failure = change.error ?? link.error;
  return (
    <span className="acts">
      {user.disabled === null ? (
        <>
          {button('Role', () => setChoosing(true), change.isPending)}
          {button('Sign-in link', () => link.mutate(), link.isPending)}
          <Confirm
            word="Disable"
            what={user.name}
            says="Ends all sessions and tokens of this user."
            pending={change.isPending}
            error={null}
            onConfirm={() => change.mutate({ disabled: true })}
          />
        </>
      ) : (
        <Button
          variant="default"
          size="compact-xs"
          loading={change.isPending}
          aria-label={`Enable ${user.name}`}
          onClick={() => change.mutate({ disabled: false })}
        >
          Enable
        </Button>
      )}
      {failure === null ? null : <Problem error={failure} />}
    </span>
  );
}

function RoleForm(props: {
  readonly user: UserAnswer;
  readonly onDone: (role: UserAnswer['role'] | null) => void;
}): ReactElement {
  const { user, onDone } = props;
  const mayOwners = useMay('owners.manage');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onDone(readRole(String(new FormData(event.currentTarget).get('role'))));
  };
  return (
    <form className="acts" onSubmit={submit}>
      <NativeSelect
        name="role"
        size="xs"
        aria-label={`Role of ${user.name}`}
        defaultValue={user.role}
        data={roleOptions(mayOwners)}
        autoFocus
      />
      <Button type="submit" size="compact-xs">
        Save
      </Button>
      <Button variant="default" size="compact-xs" onClick={() => onDone(null)}>
        Cancel
      </Button>
    </form>
  );
}
