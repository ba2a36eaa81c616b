import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';
import { signInByLink } from '../../api/access.ts';
import { Notice, Problem } from '../../parts/states.tsx';
import { passwordLack } from './link-token.ts';

/** Uses a one-time link: its user chooses a password, the first owner a name as well. */
export function LinkForm(props: {
  readonly token: string;
  readonly onDone: () => void;
}): ReactElement {
  const [lack, setLack] = useState<string | null>(null);
  const enter = useMutation({ mutationFn: signInByLink, onSuccess: props.onDone });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get('name') ?? '');
    const password = String(form.get('password'));
    const found = passwordLack(password, String(form.get('repeated')));
    setLack(found);
    if (found !== null) return;
    enter.mutate({ token: props.token, password, ...(name === '' ? {} : { name }) });
  };
  return (
    <form onSubmit={submit} className="sign-in-form">
      <h1>Welcome</h1>
      <p>This link works once. Choose what you will sign in with from now on.</p>
      {enter.error === null ? null : <Problem error={enter.error} title="You are not signed in" />}
      {lack === null ? null : (
        <Notice tone="bad" live>
          {lack}
        </Notice>
      )}
      <TextInput
        name="name"
        label="Name"
        required
        withAsterisk={false}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
      />
      <PasswordInput
        name="password"
        label="Password"
        description="At least 12 characters"
        required
        withAsterisk={false}
        autoComplete="new-password"
      />
      <PasswordInput
        name="repeated"
        label="Password again"
        required
        withAsterisk={false}
        autoComplete="new-password"
      />
      <Button type="submit" loading={enter.isPending} fullWidth>
        Set and sign in
      </Button>
    </form>
  );
}
