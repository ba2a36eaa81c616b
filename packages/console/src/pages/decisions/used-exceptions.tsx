import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { DecisionAnswer } from '../../api/decisions.ts';
import { KindLabel } from '../../parts/exception-label.tsx';
import { plainText } from '../../parts/format.ts';
import { useMay } from '../../parts/session.tsx';
import { Notice } from '../../parts/states.tsx';
import { Instant } from '../../parts/values.tsx';

type Used = DecisionAnswer['exceptions'][number];

/** What let an image in that policies would have refused: each exception, and who answers for it. */
export function Exceptions({ of }: { readonly of: readonly Used[] }): ReactElement | null {
  if (of.length === 0) return null;
  return (
    <>
      {of.map((used) => (
        <UsedNotice key={`${used.id} ${used.policy}`} used={used} />
      ))}
    </>
  );
}

function UsedNotice({ used }: { readonly used: Used }): ReactElement {
  const { id, name, kind, requester, approver, reason, expires, policy, clauses } = used;
  const may = useMay('exceptions.read');
  return (
    <Notice tone={kind === 'break-glass' ? 'bad' : 'warn'}>
      <p className="words">
        <KindLabel kind={kind} />
        <span>
          {may ? (
            <Link to="/exceptions/$id" params={{ id }}>
              {name}
            </Link>
          ) : (
            <strong>{name}</strong>
          )}{' '}
          lifted <code>{clauses.join(', ')}</code> of policy{' '}
          <Link to="/policies/$name" params={{ name: policy }}>
            {policy}
          </Link>
        </span>
      </p>
      <p>{plainText(reason)}</p>
      <p className="dim">
        {approver === null
          ? `signed by ${requester} alone`
          : `asked for by ${requester}, approved by ${approver}`}
        , until <Instant at={expires} />
      </p>
    </Notice>
  );
}
