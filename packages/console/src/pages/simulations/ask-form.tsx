import { Button, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';
import { startSimulation } from '../../api/simulations.ts';
import { plural } from '../../parts/format.ts';
import { Panel } from '../../parts/page.tsx';
import { Notice, Problem } from '../../parts/states.tsx';
import { type AskKind, DAYS, readAsk } from './ask.ts';
import '../../parts/form.css';
import './simulations.css';

const KINDS = [
  { value: 'simulation', label: 'Other policies' },
  { value: 'impact', label: 'A change of trust' },
] as const;

/** Asks what would be; `onDone` gets the id of the answer, or null when it was given up. */
export function AskForm(props: { readonly onDone: (id: string | null) => void }): ReactElement {
  const client = useQueryClient();
  const [kind, setKind] = useState<AskKind>('simulation');
  const [lack, setLack] = useState<string | null>(null);
  const start = useMutation({
    mutationFn: startSimulation,
    onSuccess: async ({ id }) => {
      await client.invalidateQueries({ queryKey: ['simulations'] });
      props.onDone(id);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const ask = readAsk(kind, new FormData(event.currentTarget));
    setLack(typeof ask === 'string' ? ask : null);
    if (typeof ask !== 'string') start.mutate(ask);
  };
  return (
    <Panel title="Ask what would be">
      {start.error === null ? null : <Problem error={start.error} />}
      {lack === null ? null : (
        <Notice tone="bad" live>
          {lack}
        </Notice>
      )}
      <form className="ask" onSubmit={submit} noValidate>
        <div className="fields">
          <NativeSelect
            label="Simulate"
            data={KINDS}
            value={kind}
            onChange={({ currentTarget }) =>
              setKind(currentTarget.value === 'impact' ? 'impact' : 'simulation')
            }
            autoFocus
          />
          <NativeSelect
            name="days"
            label="Decisions of the last"
            defaultValue="7"
            data={DAYS.map((days) => ({ value: String(days), label: plural(days, 'day') }))}
          />
        </div>
        {kind === 'simulation' ? <PolicyFields /> : <TrustFields />}
        <div className="form-acts">
          <Button type="submit" size="xs" loading={start.isPending}>
            Simulate
          </Button>
          <Button variant="default" size="xs" onClick={() => props.onDone(null)}>
            Cancel
          </Button>
        </div>
      </form>
    </Panel>
  );
}

function PolicyFields(): ReactElement {
  return (
    <>
      <Textarea
        className="yaml"
        name="policy"
        label="TrustPolicy documents, YAML"
        description="In the place of those in force of the same name. Keys and trust roots that policies in force have by the same name are taken from those."
        rows={12}
        spellCheck={false}
        autoComplete="off"
      />
      <TextInput
        name="remove"
        label="Policies that would go"
        placeholder="legacy, staging"
        autoComplete="off"
        spellCheck={false}
      />
    </>
  );
}

function TrustFields(): ReactElement {
  return (
    <>
      <Textarea
        className="yaml"
        name="keys"
        label="Keys that are retired"
        description="The name of an authority, the id of a key, or a public key in PEM; one a line."
        rows={4}
        spellCheck={false}
        autoComplete="off"
      />
      <div className="fields">
        <TextInput
          name="from"
          label="An identity that is renamed"
          placeholder="[ISSUER|]SUBJECT"
          autoComplete="off"
          spellCheck={false}
        />
        <TextInput
          name="to"
          label="Its new name"
          placeholder="[ISSUER|]SUBJECT"
          autoComplete="off"
          spellCheck={false}
        />
      </div>
      <Textarea
        name="roots"
        label="Trust roots that are retired"
        description="A trust root, or a CA, log or timestamp authority that one names; one a line."
        rows={2}
        spellCheck={false}
        autoComplete="off"
      />
    </>
  );
}
