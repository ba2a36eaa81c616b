import { NativeSelect, Textarea, TextInput } from '@mantine/core';
import { type ReactElement, useState } from 'react';
import { startSimulation } from '../../api/simulations.ts';
import { AskPanel } from '../../parts/ask-panel.tsx';
import { plural } from '../../parts/format.ts';
import { type AskKind, DAYS, readAsk } from './ask.ts';
import './simulations.css';

const KINDS = [
  { value: 'simulation', label: 'Other policies' },
  { value: 'impact', label: 'A change of trust' },
] as const;

/** Asks what would be; `onDone` gets the id of the answer, or null when it was given up. */
export function AskForm(props: { readonly onDone: (id: string | null) => void }): ReactElement {
  const [kind, setKind] = useState<AskKind>('simulation');
  return (
    <AskPanel
      title="Ask what would be"
      word="Simulate"
      className="ask"
      read={(form) => readAsk(kind, form)}
      noValidate
      send={startSimulation}
      changes={['simulations']}
      onDone={(made) => props.onDone(made?.id ?? null)}
    >
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
    </AskPanel>
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
