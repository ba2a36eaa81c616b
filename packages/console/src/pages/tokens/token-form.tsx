import { Checkbox, NativeSelect, TextInput } from '@mantine/core';
import type { ReactElement } from 'react';
import { createToken, type NewTokenAnswer } from '../../api/access.ts';
import { AskPanel } from '../../parts/ask-panel.tsx';
import { plural } from '../../parts/format.ts';
import { useSession } from '../../parts/session.tsx';
import { actionsOf, LIVES, PERMISSIONS, readTokenAsk } from './token-ask.ts';

/** Asks for a new token; `onDone` gets it, or null when it was given up. */
export function TokenForm(props: {
  readonly onDone: (made: NewTokenAnswer | null) => void;
}): ReactElement {
  const { user } = useSession();
  return (
    <AskPanel
      title="Create a token"
      word="Create"
      read={readTokenAsk}
      noValidate
      send={createToken}
      changes={['tokens']}
      onDone={props.onDone}
    >
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
    </AskPanel>
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
