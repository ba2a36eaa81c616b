import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CODES } from '@bulla/trust/fault/codes';
import { TrustFault } from '@bulla/trust/fault/fault';
import { answer, scripted } from './scripted.ts';

const ID = '01M7ZF9AS2EG17754TPM42CBXN';

const REFUSALS: readonly {
  readonly name: string;
  readonly decision: string | null;
  /** Whether the remedy leads to the decision, and not to the rights of the account. */
  readonly explains: boolean;
}[] = [
  { name: 'a policy of a gateway', decision: ID, explains: true },
  { name: 'a registry for lack of a right', decision: null, explains: false },
  { name: 'a hostile registry', decision: 'x; rm -rf ~', explains: false },
  { name: 'a registry with a decision that is none', decision: `${ID}A`, explains: false },
];

describe('what is refused by', () => {
  for (const { name, decision, explains } of REFUSALS) {
    it(name, async () => {
      const headers = decision === null ? {} : { 'bulla-decision': decision };
      await using server = await scripted((_, response) => answer(response, 403, headers));
      await assert.rejects(server.store().manifest('v1'), (error) => {
        assert.ok(error instanceof TrustFault);
        assert.equal(error.code, 'registry.denied');
        const asks = `bulla decisions explain ${ID} --server ${server.origin}`;
        assert.equal(error.remedy.includes(asks), explains);
        if (!explains) assert.equal(error.remedy, CODES['registry.denied'].remedy);
        return true;
      });
    });
  }
});
