import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';
import { signInByLink } from '../../api/access.ts';
import { passwordLack, type SignInLink } from '../../parts/sign-in-link.ts';
import { Notice, Problem } from '../../parts/states.tsx';

/** Uses a one-time link: its user chooses a password, the first owner a name as well. */
export function LinkForm(props: {
  readonly link: SignInLink;
  readonly onDone: () => void;
}): ReactElement {
  const { link } = props;
  const [lack, setLack] = useState<string | null>(null);
  const enter = useMutation({ mutationFn: signInByLink, onSuccess: props.onDone });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get('name') ?? '').trim();
    const password = String(form.get('password'));
    const found = passwordLack(password, String(form.get('repeated')));
    setLack(found);
    if (found !== null) return;
    enter.mutate({ link: link.token, password, ...(name === '' ? {} : { name }) });
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
      {link.user === null ? (
        <TextInput
          name="name"
          label="Name"
          {...(link.first
            ? {}
            : { description: 'Only the first owner chooses one; leave it empty otherwise.' })}
          required={link.first}
          withAsterisk={false}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
        />
      ) : (
        <p>
          You will sign in as <strong>{link.user}</strong>.
        </p>
      )}
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
