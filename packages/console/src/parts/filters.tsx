import { Button } from '@mantine/core';
import { type FormEvent, type ReactElement, type ReactNode, useState } from 'react';
import './form.css';

/** The choices of a filter: any, or one of the table's words under its title. */
export function filterChoices(
  table: Readonly<Record<string, string>>,
): readonly { readonly value: string; readonly label: string }[] {
  return [
    { value: '', label: 'Any' },
    ...Object.entries(table).map(([value, label]) => ({ value, label })),
  ];
}

/** The filters of a list, folded away until one is active. Text takes effect with Enter or the button. */
export function Filters(props: {
  /** What the address asks for. */
  readonly search: object;
  /** How many filters narrow the list. */
  readonly active: number;
  readonly onApply: (form: FormData) => void;
  readonly onClear: () => void;
  /** The fields. */
  readonly children: ReactNode;
}): ReactElement {
  const { search, active, onApply, onClear, children } = props;
  const [open, setOpen] = useState(active > 0);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onApply(new FormData(event.currentTarget));
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
        <div className="fields">{children}</div>
        <div className="form-acts">
          <Button type="submit" size="xs">
            Apply
          </Button>
          <Button variant="default" size="xs" disabled={active === 0} onClick={onClear}>
            Clear
          </Button>
        </div>
      </form>
    </details>
  );
}
