import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { ImpactAnswer, ImpactedAnswer } from '../../api/simulations.ts';
import { CopyButton, Snippet } from '../../parts/copy.tsx';
import { countText, plural, shortDigestsIn } from '../../parts/format.ts';
import { Label } from '../../parts/mark.tsx';
import { Panel } from '../../parts/page.tsx';
import { Notice } from '../../parts/states.tsx';
import { DigestText, ImageName } from '../../parts/values.tsx';
import { Tile } from './tile.tsx';
import { IMPACTS, keyOf } from './words.ts';
import './simulations.css';

const IMPACT_NAMES = ['lost', 'unknown', 'at-risk', 'gained', 'refused', 'kept'] as const;

/** What a change of trust would take along, and what is to be signed again. */
export function ImpactResult(props: {
  readonly id: string;
  readonly of: ImpactAnswer;
  readonly chosen: string | undefined;
}): ReactElement {
  const { id, of } = props;
  const { totals, result } = of;
  const chosen = keyOf(IMPACTS, props.chosen) ?? firstOf(of);
  const images = result.images.filter(({ impact }) => impact === chosen);
  return (
    <>
      <section className="counts counts-six" aria-label="What would become of the images">
        {IMPACT_NAMES.map((impact) => (
          <Tile
            key={impact}
            {...{ id, change: impact, by: undefined, ...IMPACTS[impact] }}
            count={totals.byImpact[impact]}
            chosen={chosen === impact}
          />
        ))}
      </section>
      {totals.byImpact.lost === 0 ? null : (
        <Notice tone="bad">
          {plural(totals.byImpact.lost, 'digest')} would lose the last valid path:{' '}
          {countText(totals.lostRunning)} running, {countText(totals.lostDeployable)} deployable.
        </Notice>
      )}
      <Touched of={result.touched} />
      <Panel
        title={`Images: ${IMPACTS[chosen].word}`}
        aside={
          images.length === 0 ? undefined : (
            <CopyButton text={images.map(nameOf).join('\n')} what="list of digests" />
          )
        }
      >
        <p className="dim">{IMPACTS[chosen].says}</p>
        {images.length > 0 ? (
          <ul className="impacted">
            {images.map((image) => (
              <Impacted key={nameOf(image)} image={image} />
            ))}
          </ul>
        ) : (
          <p>{nothingText(totals.byImpact[chosen])}</p>
        )}
      </Panel>
    </>
  );
}

/** The worst that there is. */
function firstOf({ totals }: ImpactAnswer): keyof typeof IMPACTS {
  return IMPACT_NAMES.find((impact) => totals.byImpact[impact] > 0) ?? 'lost';
}

function nothingText(count: number): string {
  return count === 0 ? 'None.' : `${plural(count, 'image')}, which are not listed.`;
}

function nameOf({ repository, digest }: ImpactedAnswer): string {
  return `${repository}@${digest}`;
}

function Touched({ of }: { readonly of: ImpactAnswer['result']['touched'] }): ReactElement {
  return (
    <Panel title="Authorities that change">
      <ul className="plain-list">
        {of.map(({ policy, authority, by, gone }) => (
          <li key={`${policy} ${authority}`} className="words">
            <Label tone={gone ? 'bad' : 'warn'} icon={gone ? 'cross' : 'warning'}>
              {gone ? 'counts no more' : 'changes'}
            </Label>
            <span>
              {authority} of{' '}
              <Link to="/policies/$name" params={{ name: policy }}>
                {policy}
              </Link>
            </span>
            <span className="dim">{by}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Impacted({ image }: { readonly image: ImpactedAnswer }): ReactElement {
  const { repository, digest, tags, running, deployable, why, lastDecision, policies } = image;
  const told = policies.filter(({ impact }) => impact === image.impact);
  return (
    <li>
      <p className="words">
        <span className="mono">
          <ImageName of={repository} />
        </span>
        <DigestText of={digest} />
        {tags.map((tag) => (
          <code key={tag}>{tag}</code>
        ))}
        {running.length === 0 ? null : (
          <Label tone="bad" icon="activity">
            running
          </Label>
        )}
        {deployable ? <Label tone="info">deployable</Label> : null}
        {lastDecision === null ? null : (
          <Link to="/decisions/$id" params={{ id: lastDecision }}>
            last decision
          </Link>
        )}
      </p>
      {running.length === 0 ? null : <p className="dim">runs: {running.join('; ')}</p>}
      {why === null ? null : <p>{why}</p>}
      {told.map((policy) => (
        <PolicyPart key={policy.policy} of={policy} />
      ))}
    </li>
  );
}

function PolicyPart({ of }: { readonly of: ImpactedAnswer['policies'][number] }): ReactElement {
  const { policy, mode, passedBy, clauses, reSign } = of;
  const commands = reSign.flatMap(({ command }) => (command === null ? [] : [command]));
  return (
    <>
      <p>
        <Link to="/policies/$name" params={{ name: policy }}>
          {policy}
        </Link>{' '}
        <span className="dim">
          mode {mode}
          {passedBy.length === 0 ? '' : `, passed by ${passedBy.join(', ')}`}
        </span>
      </p>
      <ul className="plain-list">
        {clauses.map(({ clause, code, says }) => (
          <li key={`${clause} ${code}`}>
            <span className="dim">{clause}:</span> {shortDigestsIn(says)}{' '}
            <code className="dim">{code}</code>
          </li>
        ))}
        {reSign.map(({ says }) => (
          <li key={says}>
            <strong>To do:</strong> {shortDigestsIn(says)}
          </li>
        ))}
      </ul>
      {commands.length === 0 ? null : (
        <Snippet text={commands.join('\n')} what="commands" caption="Signs it again" />
      )}
    </>
  );
}
