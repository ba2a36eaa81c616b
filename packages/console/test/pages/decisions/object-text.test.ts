import { expect, test } from 'vitest';
import { objectText } from '../../../src/pages/decisions/object-text.ts';

const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'checkout',
  operation: 'CREATE',
};

const OBJECTS = [
  { object: DEPLOYMENT, expect: 'Deployment shop/checkout (apps/v1), created' },
  {
    object: { ...DEPLOYMENT, kind: 'Pod', apiVersion: 'v1', name: null },
    expect: 'Pod shop/(no name yet) (v1), created',
  },
  {
    object: { ...DEPLOYMENT, kind: 'Node', namespace: null, operation: 'UPDATE' },
    expect: 'Node checkout (apps/v1), updated',
  },
  {
    object: { ...DEPLOYMENT, namespace: null, name: null, operation: 'PATCH' },
    expect: 'Deployment (apps/v1), PATCH',
  },
];

test.each(OBJECTS)('$expect', ({ object, expect: expected }) => {
  expect(objectText(object)).toBe(expected);
});
