import { Button, PasswordInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';
import { changePassword } from '../../api/access.ts';
import { Page, Panel } from '../../parts/page.tsx';
import { useSession } from '../../parts/session.tsx';
import { passwordLack } from '../../parts/sign-in-link.ts';
import { Notice, Problem } from '../../parts/states.tsx';
import { Fact, Facts, Instant } from '../../parts/values.tsx';
import '../../parts/form.css';

/** One's own account: who one is here, and a new password. */
export function AccountPage(): ReactElement {
  const { user, permissions } = useSession();
  return (
    <Page title="Account" lead="Who you are here.">
      <div className="stack">
        <Panel title={user.name}>
          <Facts>
            <Fact name="Role">{user.role}</Fact>
            <Fact name="Added">
              <Instant at={user.created} />
            </Fact>
            <Fact name="May">{permissions.join(', ')}</Fact>
          </Facts>
        </Panel>
        <PasswordPanel />
      </div>
    </Page>
  );
}

function PasswordPanel(): ReactElement {
  const [lack, setLack] = useState<string | null>(null);
  const change = useMutation({ mutationFn: changePassword });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const next = String(data.get('next'));
    const found = passwordLack(next, String(data.get('repeated')));
    setLack(found);
    if (found !== null) return;
    const asked = { current: String(data.get('current')), next };
    change.mutate(asked, { onSuccess: () => form.reset() });
  };
  return (
    <Panel title="Change the password">
      {change.error === null ? null : <Problem error={change.error} />}
      {lack === null ? null : (
        <Notice tone="bad" live>
          {lack}
        </Notice>
      )}
      {change.isSuccess && lack === null ? (
        <Notice tone="good" live>
          The password was changed. Your other sessions have ended.
        </Notice>
      ) : null}
      <form onSubmit={submit}>
        <div className="fields">
          <PasswordInput
            name="current"
            label="Present password"
            required
            withAsterisk={false}
            autoComplete="current-password"
          />
          <PasswordInput
            name="next"
            label="New password"
            required
            withAsterisk={false}
            autoComplete="new-password"
          />
          <PasswordInput
            name="repeated"
            label="New password again"
            required
            withAsterisk={false}
            autoComplete="new-password"
          />
        </div>
        <div className="form-acts">
          <Button type="submit" size="xs" loading={change.isPending}>
            Change
          </Button>
        </div>
      </form>
    </Panel>
  );
}
