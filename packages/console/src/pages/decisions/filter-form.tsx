import { NativeSelect, TextInput } from '@mantine/core';
import { type ReactElement, useState } from 'react';
import { Filters, filterChoices } from '../../parts/filters.tsx';
import { countFilters, type DecisionsSearch, EFFECTS, readFilters, SPANS } from './filters.ts';

const EFFECT_OPTIONS = filterChoices(EFFECTS);
const OUTCOME_OPTIONS = filterChoices({ admit: 'Admitted', deny: 'Denied' });
const TIME_OPTIONS = [
  { value: '', label: 'Any time' },
  ...Object.entries(SPANS).map(([value, { title }]) => ({ value, label: title })),
  { value: 'range', label: 'From … to …' },
];
const TEXT_FIELDS = [
  { name: 'repository', label: 'Repository', placeholder: 'registry.example/app' },
  { name: 'policy', label: 'Policy', placeholder: 'production' },
  { name: 'actor', label: 'Asked by', placeholder: 'ann' },
  { name: 'code', label: 'Reason', placeholder: 'signature.none' },
  { name: 'digest', label: 'Digest', placeholder: 'sha256:…' },
  { name: 'exception', label: 'Exception', placeholder: 'its id, sha256:…' },
] as const;

/** The filters of the list. Choices take effect at once, text with Enter or the button. */
export function FilterForm(props: {
  readonly search: DecisionsSearch;
  readonly onChange: (search: DecisionsSearch) => void;
}): ReactElement {
  const { search, onChange } = props;
  const [range, setRange] = useState(search.from !== undefined || search.to !== undefined);
  const apply = (changes: Readonly<Record<string, unknown>>) => {
    const { before: _, ...rest } = search;
    onChange(readFilters({ ...rest, ...changes }));
  };
  const submit = (form: FormData) => {
    const time = form.get('time') === 'range' ? {} : { time: form.get('time') };
    apply({ ...Object.fromEntries(form), time: undefined, ...time });
  };
  return (
    <Filters
      search={search}
      active={countFilters(search)}
      onApply={submit}
      onClear={() => {
        setRange(false);
        onChange(search.live === undefined ? {} : { live: search.live });
      }}
    >
      <AnswerFields search={search} onChange={apply} />
      <NativeSelect
        name="time"
        label="Time"
        data={TIME_OPTIONS}
        value={range ? 'range' : (search.time ?? '')}
        onChange={({ currentTarget: { value } }) => {
          setRange(value === 'range');
          if (value !== 'range') apply({ time: value, from: undefined, to: undefined });
        }}
      />
      {range ? <RangeFields search={search} /> : null}
      <TextFields search={search} />
    </Filters>
  );
}

function AnswerFields(props: {
  readonly search: DecisionsSearch;
  readonly onChange: (changes: Readonly<Record<string, string>>) => void;
}): ReactElement {
  const { search, onChange } = props;
  return (
    <>
      <NativeSelect
        name="outcome"
        label="Outcome"
        data={OUTCOME_OPTIONS}
        value={search.outcome ?? ''}
        onChange={({ currentTarget }) => onChange({ outcome: currentTarget.value })}
      />
      <NativeSelect
        name="effect"
        label="Effect"
        data={EFFECT_OPTIONS}
        value={search.effect ?? ''}
        onChange={({ currentTarget }) => onChange({ effect: currentTarget.value })}
      />
    </>
  );
}

function TextFields({ search }: { readonly search: DecisionsSearch }): ReactElement {
  return (
    <>
      {TEXT_FIELDS.map(({ name, label, placeholder }) => (
        <TextInput
          key={name}
          name={name}
          label={label}
          placeholder={placeholder}
          defaultValue={search[name] ?? ''}
          autoComplete="off"
          spellCheck={false}
        />
      ))}
    </>
  );
}

function RangeFields({ search }: { readonly search: DecisionsSearch }): ReactElement {
  return (
    <>
      <TextInput
        name="from"
        label="From (UTC)"
        placeholder="2026-11-21T08:00:00Z"
        defaultValue={search.from ?? ''}
        autoComplete="off"
      />
      <TextInput
        name="to"
        label="To (UTC)"
        placeholder="2026-11-22T08:00:00Z"
        defaultValue={search.to ?? ''}
        autoComplete="off"
      />
    </>
  );
}
