import { Tabs } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type ReactElement, useMemo, useState } from 'react';
import type { OverviewAnswer } from '../../api/overview.ts';
import { Snippet } from '../../parts/copy.tsx';
import { Panel } from '../../parts/page.tsx';
import { clientGuides } from './connect.ts';

/** How each client is connected to this server, in commands that can be copied. */
export function ConnectPanel({ overview }: { readonly overview: OverviewAnswer }): ReactElement {
  const { caCertificate } = overview;
  const origin = overview.origin ?? location.origin;
  const guides = useMemo(
    () => clientGuides({ origin, privateCa: caCertificate !== null }),
    [origin, caCertificate],
  );
  const [client, setClient] = useState<string | null>(guides[0]?.client ?? null);
  return (
    <Panel title="Connect a client">
      <Tabs value={client} onChange={setClient} keepMounted={false} className="guides">
        <Tabs.List aria-label="Clients">
          {guides.map(({ client: name }) => (
            <Tabs.Tab key={name} value={name}>
              {name}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {guides.map(({ client: name, steps }) => (
          <Tabs.Panel key={name} value={name}>
            <ol className="steps">
              {steps.map(({ says, text }) => (
                <li key={says}>
                  <Snippet caption={says} text={text} what={`${name}: ${says}`} />
                </li>
              ))}
            </ol>
          </Tabs.Panel>
        ))}
      </Tabs>
      <p className="dim">
        Passwords of clients are tokens: <Link to="/tokens">create one</Link> with no more rights
        than the client needs.
      </p>
      {caCertificate === null ? null : (
        <details className="raw">
          <summary>This server’s certificate authority, to be saved as bulla-ca.crt</summary>
          <Snippet text={caCertificate} what="certificate of the authority" />
        </details>
      )}
    </Panel>
  );
}
