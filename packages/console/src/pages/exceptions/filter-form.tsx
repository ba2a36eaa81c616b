import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, type ReactElement, useState } from 'react';
import { countFilters, type ExceptionsSearch, KINDS, readFilters, STATES } from './filters.ts';
import '../../parts/form.css';

const options = (table: Readonly<Record<string, string>>) => [
  { value: '', label: 'Any' },
  ...Object.entries(table).map(([value, label]) => ({ value, label })),
];
const STATE_OPTIONS = options(STATES);
const KIND_OPTIONS = options(KINDS);

/** The filters of the list. Choices take effect at once, text with Enter or the button. */
export function FilterForm(props: {
  readonly search: ExceptionsSearch;
  readonly onChange: (search: ExceptionsSearch) => void;
}): ReactElement {
  const { search, onChange } = props;
  const active = countFilters(search);
  const [open, setOpen] = useState(active > 0);
  const apply = (changes: Readonly<Record<string, unknown>>) => {
    const { before: _, ...rest } = search;
    onChange(readFilters({ ...rest, ...changes }));
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    apply({ repository: new FormData(event.currentTarget).get('repository') });
  };
  return (
    <details
      className="filters"
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        Filters
        <span className="dim">{active === 0 ? 'none' : `${active} active`}</span>
      </summary>
      {/* A new address brings new defaults: what the fields show is always what is asked. */}
      <form key={JSON.stringify(search)} onSubmit={submit}>
        <Fields search={search} apply={apply} />
        <div className="form-acts">
          <Button type="submit" size="xs">
            Apply
          </Button>
          <Button variant="default" size="xs" disabled={active === 0} onClick={() => onChange({})}>
            Clear
          </Button>
        </div>
      </form>
    </details>
  );
}

function Fields(props: {
  readonly search: ExceptionsSearch;
  readonly apply: (changes: Readonly<Record<string, unknown>>) => void;
}): ReactElement {
  const { search, apply } = props;
  return (
    <div className="fields">
      <NativeSelect
        label="State"
        data={STATE_OPTIONS}
        value={search.state ?? ''}
        onChange={({ currentTarget }) => apply({ state: currentTarget.value })}
      />
      <NativeSelect
        label="Kind"
        data={KIND_OPTIONS}
        value={search.kind ?? ''}
        onChange={({ currentTarget }) => apply({ kind: currentTarget.value })}
      />
      <TextInput
        name="repository"
        label="Repository"
        placeholder="registry.example/app"
        defaultValue={search.repository ?? ''}
        autoComplete="off"
        spellCheck={false}
      />
      <Checkbox
        label="Only open reviews"
        checked={search.review === 'open'}
        onChange={({ currentTarget }) =>
          apply({ review: currentTarget.checked ? 'open' : undefined })
        }
      />
    </div>
  );
}
