import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { type FormEvent, type ReactElement, useEffect, useState } from 'react';
import { signIn } from '../../api/access.ts';
import { Seal } from '../../parts/icons.tsx';
import { pathAfter, readLink } from '../../parts/sign-in-link.ts';
import { Problem } from '../../parts/states.tsx';
import { LinkForm } from './link-form.tsx';
import './sign-in.css';

const route = getRouteApi('/sign-in');

/** Signs in, by name and password or with a one-time link. */
export function SignInPage(): ReactElement {
  const { to } = route.useSearch();
  const router = useRouter();
  const client = useQueryClient();
  const [link, setLink] = useState(() => readLink(location.hash));
  useEffect(() => {
    document.title = 'Sign in · Bulla';
    // A link that is pasted where this page is open already loads nothing anew.
    const take = () => {
      const found = readLink(location.hash);
      if (found !== null) setLink(found);
      // The token must neither stay in the address nor in the history of the browser.
      if (location.hash !== '') history.replaceState(history.state, '', location.pathname);
    };
    take();
    window.addEventListener('hashchange', take);
    return () => window.removeEventListener('hashchange', take);
  }, []);
  const enter = () => {
    client.clear();
    router.history.push(pathAfter(to));
  };
  return (
    <main className="sign-in">
      <div className="sign-in-box">
        <p className="sign-in-brand">
          <Seal /> Bulla
        </p>
        {link === null ? (
          <PasswordForm to={to} onDone={enter} />
        ) : (
          <LinkForm key={link.token} link={link} onDone={enter} />
        )}
      </div>
    </main>
  );
}

function PasswordForm(props: {
  /** The page that was left for want of a session. */
  readonly to: string | undefined;
  readonly onDone: () => void;
}): ReactElement {
  const { to, onDone } = props;
  const enter = useMutation({
    mutationFn: (form: FormData) =>
      signIn({ name: String(form.get('name')), password: String(form.get('password')) }),
    onSuccess: onDone,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    enter.mutate(new FormData(event.currentTarget));
  };
  return (
    <form onSubmit={submit} className="sign-in-form">
      <h1>Sign in</h1>
      {to === undefined ? null : (
        <p>Your session has ended, or none was begun. Sign in to go on where you were.</p>
      )}
      {enter.error === null ? null : <Problem error={enter.error} title="You are not signed in" />}
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
        required
        withAsterisk={false}
        autoComplete="current-password"
      />
      <Button type="submit" loading={enter.isPending} fullWidth>
        Sign in
      </Button>
      <p className="dim">
        A forgotten password is renewed by a link, which an administrator makes among the users, or
        the machine’s operator with <code>bulla user link NAME</code>.
      </p>
    </form>
  );
}
