import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';
import { cutOver, endRollout, type RolloutAnswer, startRollout } from '../../api/rollouts.ts';
import { plural } from '../../parts/format.ts';
import { SayForm } from '../../parts/say-form.tsx';
import { useMay, useSession } from '../../parts/session.tsx';
import { Problem } from '../../parts/states.tsx';
import { acceptable } from './acceptable.ts';
import '../../parts/form.css';

const DAY_MS = 86_400_000;
const DAYS = [1, 7, 14, 30] as const;

/** A change of a rollout, after which policies and rollouts are read again. */
function useStep<Asked>(step: (asked: Asked) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (asked: Asked) => step(asked),
    async onSuccess() {
      await client.invalidateQueries({ queryKey: ['rollouts'] });
      await client.invalidateQueries({ queryKey: ['policies'] });
    },
  });
}

/** Opens an observation window; for whoever manages policies. */
export function StartRollout({ policy }: { readonly policy: string }): ReactElement {
  const { user } = useSession();
  const start = useStep(startRollout);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const windowMs = Number(form.get('days')) * DAY_MS;
    start.mutate({ policy, owner: String(form.get('owner')).trim(), windowMs });
  };
  return (
    <form onSubmit={submit} aria-label="Open an observation window">
      <p className="dim">
        It refuses nothing yet. Observe what it would deny for a while, mend that, and then have it
        refuse: each step is recorded.
      </p>
      {start.error === null ? null : <Problem error={start.error} />}
      <div className="fields">
        <TextInput
          name="owner"
          label="Who answers for it"
          defaultValue={user.name}
          required
          maxLength={512}
          autoComplete="off"
        />
        <NativeSelect
          name="days"
          label="Observe it for"
          defaultValue="7"
          data={DAYS.map((days) => ({ value: String(days), label: plural(days, 'day') }))}
        />
      </div>
      <div className="form-acts">
        <Button type="submit" size="xs" loading={start.isPending}>
          Open a window
        </Button>
      </div>
    </form>
  );
}

/** The next steps of a rollout; for whoever manages policies. The server says when each is allowed. */
export function RolloutActs({ of }: { readonly of: RolloutAnswer }): ReactElement | null {
  const { policy, state, cutOver: cut } = of;
  const manages = useMay('policies.manage');
  const end = useStep((reason: string) => endRollout(policy, reason));
  const [cutting, setCutting] = useState(false);
  if (!manages) return null;
  if (cutting && cut === null) return <CutOver of={of} onDone={() => setCutting(false)} />;
  return (
    <div className="rollout-acts">
      {state === 'observing' ? (
        <Button size="xs" onClick={() => setCutting(true)}>
          Cut over
        </Button>
      ) : null}
      <SayForm
        word={cut === null ? 'End the rollout' : 'Take the cut-over back'}
        what={`of ${policy}`}
        label="Why"
        says={
          cut === null
            ? 'Its window is closed. The record keeps the reason.'
            : 'Less is refused from then on: its file says again what it does. The record keeps the reason.'
        }
        danger
        pending={end.isPending}
        error={end.error}
        onSay={(reason) => end.mutate(reason)}
      />
    </div>
  );
}

function CutOver(props: { readonly of: RolloutAnswer; readonly onDone: () => void }): ReactElement {
  const { of, onDone } = props;
  const { policy } = of;
  const cut = useStep((ask: Parameters<typeof cutOver>[1]) => cutOver(policy, ask));
  const names = acceptable(of);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const reason = String(form.get('reason') ?? '').trim();
    const accept = form.getAll('accept').map(String);
    cut.mutate({ accept, ...(reason === '' ? {} : { reason }) });
  };
  return (
    <form onSubmit={submit} aria-label={`Cut over ${policy}`} noValidate>
      <p>
        Every replica enforces {policy} from then on, whatever its file says. What it would have
        denied in the last day stands in the way, unless it is accepted here with a reason.
      </p>
      {cut.error === null ? null : <Problem error={cut.error} />}
      {names.length === 0 ? null : (
        <fieldset className="choices accept">
          <legend>May be denied</legend>
          {names.map((name) => (
            <Checkbox key={name} name="accept" value={name} label={name} size="xs" />
          ))}
        </fieldset>
      )}
      {names.length === 0 ? null : (
        <div className="say">
          <TextInput
            name="reason"
            label="Why that may be denied"
            maxLength={4096}
            autoComplete="off"
          />
        </div>
      )}
      <div className="form-acts">
        <Button type="submit" size="xs" color="red" loading={cut.isPending}>
          Refuse from now on
        </Button>
        <Button variant="default" size="xs" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
