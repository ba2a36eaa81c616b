import { Fragment, type ReactElement, type ReactNode } from 'react';
import { useNow } from '../api/clock.ts';
import { CopyButton } from './copy.tsx';
import { ago, instantText, remaining, shortDigest, shortKeyId } from './format.ts';
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

/** The id of a key, cut for the eye and copied whole. */
export function KeyText({ of }: { readonly of: string }): ReactElement {
  const short = shortKeyId(of);
  return (
    <span className="digest">
      <code title={of}>{short}</code>
      <CopyButton text={of} what={`key id ${short}`} compact />
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

/** How long it is until an instant, in words; `over` says that it is past. */
export function Remaining(props: { readonly until: string; readonly over: string }): ReactElement {
  const { until, over } = props;
  const left = remaining(until, useNow());
  return (
    <time dateTime={until} title={instantText(until)}>
      {left === null ? over : `${left} left`}
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
