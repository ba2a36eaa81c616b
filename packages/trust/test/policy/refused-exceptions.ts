import { type RefusedPolicy, refused, SMALL } from './policy-texts.ts';

/** A policy whose last line says which exceptions it accepts. */
export const WITH_EXCEPTIONS = `${SMALL.replace(
  '{ dev: { key: { ref: dev.pub } } }',
  `
    dev: { key: { ref: dev.pub } }
    security: { key: { ref: security.pub } }
    oncall: { key: { ref: oncall.pub } }
    workflow: { keyless: { issuer: { exact: a }, subject: { exact: b }, trustRoot: public-good } }`,
)}  exceptions: { approvers: [security], maxDuration: 72h, maxScope: digest, breakGlass: { keys: [oncall], maxDuration: 4h } }
`;

const M = 'policy.malformed';
const U = 'policy.unknown-field';
const UNKNOWN = 'policy.authority-unknown';

/** What is wrong with the exceptions that a policy accepts. */
export const REFUSED_EXCEPTIONS: readonly RefusedPolicy[] = refused(WITH_EXCEPTIONS, [
  ['exceptions without approvers', 'approvers: [security], ', '', M, '12:15'],
  ['exceptions with an empty list', '[security]', '[]', 'policy.requirement-empty', '12:28'],
  ['exceptions of any length', 'maxDuration: 72h, ', '', M, '12:15'],
  ['a length without its unit', '72h', '72', M, '12:53'],
  ['a length of nothing', '72h', '0h', M, '12:53', 'beyond'],
  ['another scope', 'maxScope: digest', 'maxScope: registry', M, '12:68'],
  ['a misspelt member', 'maxScope', 'maxscope', U, '12:58'],
  ['an approver twice', '[security]', '[security, security]', 'policy.name-repeated', '12:28'],
  ['an approver that it does not define', '[security]', '[ops]', UNKNOWN, '12:29', 'beyond'],
  ['an approver without a key', '[security]', '[workflow]', M, '12:28', 'beyond'],
  ['break-glass without keys', 'keys: [oncall], ', '', M, '12:88'],
  ['break-glass for a second over 4 hours', '4h', '14401s', M, '12:119', 'beyond'],
  ['break-glass for five hours', '4h', '5h', M, '12:119', 'beyond'],
  ['a break-glass key without a key', '[oncall]', '[workflow]', M, '12:96', 'beyond'],
  ['a break-glass key that it does not define', '[oncall]', '[pager]', UNKNOWN, '12:97', 'beyond'],
  [
    'a break-glass key that approves',
    '[oncall]',
    '[security]',
    'policy.break-glass-shared',
    '12:88',
    'beyond',
  ],
]);
