import { Checkbox, NativeSelect, TextInput } from '@mantine/core';
import type { ReactElement } from 'react';
import { Filters, filterChoices } from '../../parts/filters.tsx';
import { countFilters, type ExceptionsSearch, KINDS, readFilters, STATES } from './filters.ts';

const STATE_OPTIONS = filterChoices(STATES);
const KIND_OPTIONS = filterChoices(KINDS);

/** The filters of the list. Choices take effect at once, text with Enter or the button. */
export function FilterForm(props: {
  readonly search: ExceptionsSearch;
  readonly onChange: (search: ExceptionsSearch) => void;
}): ReactElement {
  const { search, onChange } = props;
  const apply = (changes: Readonly<Record<string, unknown>>) => {
    const { before: _, ...rest } = search;
    onChange(readFilters({ ...rest, ...changes }));
  };
  return (
    <Filters
      search={search}
      active={countFilters(search)}
      onApply={(form) => apply({ repository: form.get('repository') })}
      onClear={() => onChange({})}
    >
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
    </Filters>
  );
}
