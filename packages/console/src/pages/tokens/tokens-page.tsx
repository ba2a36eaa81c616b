import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';
import {
  type NewTokenAnswer,
  revokeToken,
  type TokenAnswer,
  tokensQuery,
} from '../../api/access.ts';
import { useNow } from '../../api/clock.ts';
import { Answered } from '../../parts/answered.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { Snippet } from '../../parts/copy.tsx';
import { Label } from '../../parts/mark.tsx';
import { Page } from '../../parts/page.tsx';
import { useMay } from '../../parts/session.tsx';
import { Empty, Notice } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago } from '../../parts/values.tsx';
import { TokenForm } from './token-form.tsx';

/** The tokens with which programs come: what each may do, and until when. */
export function TokensPage(): ReactElement {
  const query = useQuery(tokensQuery(useMay('tokens.manage')));
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<NewTokenAnswer | null>(null);
  return (
    <Page
      title="Tokens"
      lead="What programs sign in with: a password for docker, podman, cosign and the rest."
      acts={
        creating ? undefined : (
          <Button size="xs" onClick={() => setCreating(true)}>
            Create a token
          </Button>
        )
      }
    >
      <div className="stack">
        {creating ? (
          <TokenForm
            onDone={(answer) => {
              setCreating(false);
              setMade(answer);
            }}
          />
        ) : null}
        {made === null ? null : <MadeNotice made={made} />}
        <Answered query={query} rows={4}>
          {(data) =>
            data.tokens.length === 0 ? (
              <Empty title="No token was created yet">
                <p>
                  Create one for each program that pulls or pushes, with no more rights than it
                  needs.
                </p>
              </Empty>
            ) : (
              <div className="results">
                <DataTable
                  caption="Tokens"
                  columns={COLUMNS}
                  rows={data.tokens}
                  rowKey={({ id }) => id}
                />
              </div>
            )
          }
        </Answered>
      </div>
    </Page>
  );
}

function MadeNotice({ made }: { readonly made: NewTokenAnswer }): ReactElement {
  return (
    <Notice tone="good" live>
      <p>
        This is the token {made.token.name}. It is shown only now: Bulla keeps no copy of it. Take
        your user name with it where a client asks for one.
      </p>
      <Snippet text={made.secret} what="token" />
    </Notice>
  );
}

const COLUMNS: readonly Column<TokenAnswer>[] = [
  { title: 'Name', kind: 'main', cell: ({ name }) => <strong>{name}</strong> },
  { title: 'Of', cell: ({ owner }) => owner.name },
  { title: 'May', cell: (token) => <Rights of={token} /> },
  { title: 'State', cell: (token) => <TokenState token={token} /> },
  {
    title: 'Last used',
    cell: ({ lastUsed }) =>
      lastUsed === null ? <span className="dim">never</span> : <Ago at={lastUsed} />,
  },
  { title: 'Actions', kind: 'acts', cell: (token) => <TokenActs token={token} /> },
];

function Rights({ of }: { readonly of: TokenAnswer }): ReactElement {
  return (
    <ul className="plain-list">
      {of.repositories.map(({ repository, actions }) => (
        <li key={`${repository} ${actions.join()}`}>
          {actions.join(', ')} <code>{repository}</code>
        </li>
      ))}
      {of.permissions.length === 0 ? null : <li className="dim">{of.permissions.join(', ')}</li>}
    </ul>
  );
}

function isOver({ expires }: TokenAnswer, at: Date): boolean {
  return new Date(expires) <= at;
}

function TokenState({ token }: { readonly token: TokenAnswer }): ReactElement {
  const at = useNow();
  if (token.revoked !== null) {
    return (
      <Label tone="bad" icon="cross">
        revoked
      </Label>
    );
  }
  if (isOver(token, at)) {
    return (
      <Label tone="mute" icon="clock">
        expired
      </Label>
    );
  }
  return (
    <span className="words">
      <Label tone="good" icon="check">
        active
      </Label>
      <span className="dim">
        expires <Ago at={token.expires} />
      </span>
    </span>
  );
}

function TokenActs({ token }: { readonly token: TokenAnswer }): ReactElement | null {
  const at = useNow();
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeToken(token.id),
    onSuccess: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  });
  if (token.revoked !== null || isOver(token, at)) return null;
  return (
    <Confirm
      word="Revoke"
      what={token.name}
      says="Whoever uses it is refused from now on."
      pending={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
    />
  );
}
