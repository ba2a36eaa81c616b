import { countPackages } from '../../../claims/bill-of-materials.ts';
import { failed, failedBy, passed } from '../../../finding/finding.ts';
import type { SbomCondition } from '../../document.ts';
import type { Condition } from '../condition.ts';

const CHECK = 'statement.sbom';

/** The statement is a bill of materials of so many packages (`statement.sbom-too-small`). */
export function sbomCondition({ minPackages }: SbomCondition): Condition {
  return async ({ statement }) => {
    try {
      const count = countPackages(statement);
      const says = `the bill of materials lists ${count} packages; ${minPackages} needed`;
      const finding =
        count >= minPackages && minPackages >= 1
          ? passed(CHECK, says)
          : failed(CHECK, 'statement.sbom-too-small', says);
      return { finding, until: null };
    } catch (error) {
      return { finding: failedBy(CHECK, error), until: null };
    }
  };
}
