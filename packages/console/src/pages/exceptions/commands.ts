import type { ExceptionAnswer } from '../../api/exceptions.ts';

/** Commands that do something with an exception, and what they do. */
export interface Commands {
  readonly caption: string;
  readonly text: string;
}

/** How somebody asks for an exception; capitals stand for what only they know. */
export function requestCommands(origin: string): Commands {
  return {
    caption: 'Ask for one: sign a request with your key, and hand it in',
    text: [
      "bulla exception request IMAGE@DIGEST --name NAME --for-policy POLICY --clause 'require' \\",
      "  --identity YOU@EXAMPLE --reason 'WHY' --control 'WHAT KEEPS THE RISK SMALL' --until 24h \\",
      '  --key YOUR.key --write request.json',
      `bulla exception submit request.json --server ${origin}`,
    ].join('\n'),
  };
}

/** How the glass is broken. */
export function glassCommands(origin: string): Commands {
  return {
    caption: 'In an emergency: the key that the policy keeps for it, at most 4 hours',
    text: [
      'bulla break-glass IMAGE@DIGEST --for-policy POLICY --name INCIDENT --identity YOU@EXAMPLE \\',
      `  --reason 'WHY' --until 1h --key BREAK-GLASS.key --server ${origin}`,
    ].join('\n'),
  };
}

type About = Pick<ExceptionAnswer, 'id' | 'kind' | 'state' | 'review'>;

/** What can be done next with an exception on a command line, where the keys are. */
export function nextCommands(one: About, origin: string): readonly Commands[] {
  const { kind, state, review } = one;
  const name = shortId(one.id);
  const server = `--server ${origin}`;
  if (state === 'requested') {
    const approve = [
      `bulla exception fetch ${name} --write request.json ${server}`,
      'bulla exception show request.json',
      'bulla exception approve request.json --identity YOU@EXAMPLE --key APPROVER.key --write approved.json',
      `bulla exception submit approved.json ${server}`,
    ];
    return [
      { caption: 'Approve it: read all of it, and sign it', text: approve.join('\n') },
      revocation('Withdraw it', name, server),
    ];
  }
  if (state === 'in-force') {
    const what =
      kind === 'break-glass' ? 'End it; its review can be closed then' : 'End it at once';
    return [revocation(what, name, server)];
  }
  if (review !== 'open') return [];
  const text = `bulla exception review ${name} --found 'WHAT THE REVIEW FOUND' ${server}`;
  return [{ caption: 'Close its review; not by who used it', text }];
}

function revocation(caption: string, name: string, server: string): Commands {
  return { caption, text: `bulla exception revoke ${name} --reason 'WHY' ${server}` };
}

/** The beginning of an id, by which commands know an exception. */
export function shortId(id: string): string {
  return id.replace('sha256:', '').slice(0, 12);
}
