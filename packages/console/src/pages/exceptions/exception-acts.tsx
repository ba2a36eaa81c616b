import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { type ExceptionAnswer, reviewException, revokeException } from '../../api/exceptions.ts';
import { SayForm } from '../../parts/say-form.tsx';
import { useMay, useSession } from '../../parts/session.tsx';

/** What may be done with an exception here: what needs a key is done where the key is. */
export function ExceptionActs({ of }: { readonly of: ExceptionAnswer }): ReactElement | null {
  const { id, name, state, review, requested } = of;
  const client = useQueryClient();
  const { user } = useSession();
  const manages = useMay('exceptions.manage');
  const mayAsk = useMay('exceptions.request');
  const onSuccess = () => client.invalidateQueries({ queryKey: ['exceptions'] });
  const revoke = useMutation({ mutationFn: (why: string) => revokeException(id, why), onSuccess });
  const close = useMutation({
    mutationFn: (found: string) => reviewException(id, found),
    onSuccess,
  });
  // Handed in by a token, it may be one of theirs: the server knows.
  const isOwn = requested.by.id === user.id;
  const mayBeOwn = isOwn || requested.by.kind === 'token';
  const isOpen = state === 'requested' || state === 'in-force';
  const mayRevoke = isOpen && (manages || (mayAsk && mayBeOwn));
  const mayReview = manages && review === 'open' && state !== 'in-force' && !isOwn;
  if (!mayRevoke && !mayReview) return null;
  return (
    <div className="exception-acts">
      {mayRevoke ? (
        <SayForm
          word={state === 'requested' ? 'Withdraw' : 'Revoke'}
          what={name}
          label="Why"
          says="It ends at once, at every door. The record keeps the reason."
          danger
          pending={revoke.isPending}
          error={revoke.error}
          onSay={(why) => revoke.mutate(why)}
        />
      ) : null}
      {mayReview ? (
        <SayForm
          word="Close the review"
          what={`of ${name}`}
          label="What the review found"
          says="The record keeps it, with your name."
          pending={close.isPending}
          error={close.error}
          onSay={(found) => close.mutate(found)}
        />
      ) : null}
    </div>
  );
}
