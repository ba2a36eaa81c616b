import { Fragment, type ReactElement, type ReactNode } from 'react';
import { useNow } from '../api/clock.ts';
import { CopyButton } from './copy.tsx';
import { ago, instantText, shortDigest } from './format.ts';
import './values.css';

/** A digest, cut for the eye and copied whole. */
export function DigestText(props: { readonly of: string; readonly copy?: boolean }): ReactElement {
  const { of, copy = true } = props;
  return (
    <span className="digest">
      <code title={of}>{shortDigest(of)}</code>
      {copy ? <CopyButton text={of} what={`digest ${shortDigest(of)}`} compact /> : null}
    </span>
  );
}

/** A name of an image, which breaks where its parts do. */
export function ImageName({ of }: { readonly of: string }): ReactElement {
  const parts = of.split(/(?<=[/@])/);
  return (
    <>
      {parts.map((part, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a part has nothing but its place
        <Fragment key={index}>
          {index === 0 ? null : <wbr />}
          {part}
        </Fragment>
      ))}
    </>
  );
}

/** An instant as the time since it, the whole one on hover and for readers. */
export function Ago({ at }: { readonly at: string }): ReactElement {
  const now = useNow();
  return (
    <time dateTime={at} title={instantText(at)}>
      {ago(at, now)}
    </time>
  );
}

/** An instant in full. */
export function Instant({ at }: { readonly at: string }): ReactElement {
  return <time dateTime={at}>{instantText(at)}</time>;
}

/** Names and values side by side. */
export function Facts({ children }: { readonly children: ReactNode }): ReactElement {
  return <dl className="facts">{children}</dl>;
}

/** A name and its value among `Facts`; nothing when there is no value. */
export function Fact(props: {
  readonly name: string;
  readonly children: ReactNode;
}): ReactElement | null {
  const { name, children } = props;
  if (children === null || children === undefined || children === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
