import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type RolloutAnswer, rolloutQuery } from '../../api/rollouts.ts';
import { plainText } from '../../parts/format.ts';
import { Label } from '../../parts/mark.tsx';
import { Panel } from '../../parts/page.tsx';
import { useMay } from '../../parts/session.tsx';
import { Loading, Notice, Problem } from '../../parts/states.tsx';
import { Fact, Facts, Instant, Remaining } from '../../parts/values.tsx';
import { RolloutActs, StartRollout } from './rollout-acts.tsx';
import { WouldDeny } from './would-deny.tsx';

/** A policy's way from warning to refusing: its window, what it would have denied, its cut-over. */
export function RolloutPanel(props: {
  readonly policy: string;
  readonly mode: string;
}): ReactElement | null {
  const { policy, mode } = props;
  const may = useMay('decisions.read');
  const manages = useMay('policies.manage');
  const { data, error, refetch } = useQuery(rolloutQuery(policy, may));
  if (!may) return null;
  if (data === null) {
    // A policy that enforces has arrived; one that does not can be taken there.
    if (mode === 'enforce' || !manages) return null;
    return (
      <Panel title="From warning to refusing">
        <StartRollout policy={policy} />
      </Panel>
    );
  }
  return (
    <Panel
      title="From warning to refusing"
      aside={
        <Link to="/record" search={{ subject: policy }}>
          What was done
        </Link>
      }
    >
      {error === null ? null : <Problem error={error} retry={() => void refetch()} />}
      {data === undefined ? error === null ? <Loading rows={3} /> : null : <Body of={data} />}
    </Panel>
  );
}

function Body({ of }: { readonly of: RolloutAnswer }): ReactElement {
  return (
    <div className="stack">
      <Doubts of={of} />
      <Facts>
        <Fact name="State">
          <State of={of} />
        </Fact>
        <Fact name="Owner">{plainText(of.owner)}</Fact>
        <Fact name="Window opened">
          <Instant at={of.openedAt} /> by {of.openedBy}
        </Fact>
        <Fact name="Window ends">
          <Instant at={of.endsAt} /> (<Remaining until={of.endsAt} over="over" />)
        </Fact>
        <CutOverFacts of={of} />
      </Facts>
      <WouldDeny of={of} />
      <RolloutActs of={of} />
    </div>
  );
}

function State({ of: { state, fileMode, cutOver } }: { readonly of: RolloutAnswer }) {
  if (state === 'gone') {
    return (
      <Label tone="bad" icon="warning">
        no policy of this name
      </Label>
    );
  }
  if (state === 'observing') {
    return (
      <Label tone="info" icon="eye">
        observed
      </Label>
    );
  }
  return (
    <span className="words">
      <Label tone="good" icon="check">
        enforced
      </Label>
      {cutOver !== null && fileMode !== 'enforce' ? (
        <span>whatever its file says, which is {fileMode}</span>
      ) : null}
    </span>
  );
}

function CutOverFacts({ of: { cutOver } }: { readonly of: RolloutAnswer }): ReactElement | null {
  if (cutOver === null) return null;
  const { at, by, accepted, reason, act } = cutOver;
  return (
    <>
      <Fact name="Cut over">
        <Instant at={at} /> by {by}
      </Fact>
      <Fact name="Accepted to be denied">
        {accepted.length === 0 ? null : (
          <ul className="plain-list">
            {accepted.map((name) => (
              <li key={name}>
                <code>{name}</code>
              </li>
            ))}
          </ul>
        )}
      </Fact>
      <Fact name="Because">{reason === null ? null : plainText(reason)}</Fact>
      <Fact name="Recorded as">{act === null ? 'not recorded yet' : <code>{act}</code>}</Fact>
    </>
  );
}

/** What keeps the observation from telling all. */
function Doubts({ of }: { readonly of: RolloutAnswer }): ReactElement | null {
  const { state, unchanged, asked, complete } = of;
  const doubts = [
    ...(unchanged || state === 'gone'
      ? []
      : ['The policy asks for something else than when its window was opened: observe it anew.']),
    ...(asked ? [] : ['Nothing was decided by it since, so nothing was observed.']),
    ...(complete ? [] : ['More would be denied than can be looked at: not all is shown.']),
  ];
  if (doubts.length === 0) return null;
  return (
    <Notice tone="warn">
      <ul className="plain-list">
        {doubts.map((doubt) => (
          <li key={doubt}>{doubt}</li>
        ))}
      </ul>
    </Notice>
  );
}
