import type { ReactElement } from 'react';
import './policies.css';

/** Patterns over names of images, one a line. */
export function Patterns({ of }: { readonly of: readonly string[] }): ReactElement {
  return (
    <ul className="plain-list patterns">
      {of.map((pattern) => (
        <li key={pattern}>
          <code>{pattern}</code>
        </li>
      ))}
    </ul>
  );
}
