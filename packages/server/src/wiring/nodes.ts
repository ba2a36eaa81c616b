import { keyOfParts } from '../bounds/key.ts';
import type { Epochs } from '../decision/epochs.ts';
import type { PoliciesInForce } from '../decision/policies.ts';
import { createNodeService, type NodeService } from '../node/service.ts';
import type { AskAboutImage } from '../reach/question.ts';
import type { RecordService } from '../record/service.ts';

/** What the door for nodes is put together from. */
export interface NodesPlace {
  readonly ask: AskAboutImage;
  readonly epochs: Epochs;
  readonly inForce: PoliciesInForce;
  readonly record: Pick<RecordService, 'note'>;
}

/** The door for nodes. What they keep ends with the policies, and with a revocation or an exception. */
export function wireNodes({ ask, epochs, inForce, record }: NodesPlace): NodeService {
  return createNodeService({
    ask,
    async generation() {
      const { set } = inForce.current();
      const counted = await Promise.all([epochs.recent('revocation'), epochs.recent('exception')]);
      return keyOfParts([set?.hash ?? null, set?.trustRootVersion ?? null, ...counted]);
    },
    note: (act) => record.note(act),
  });
}
