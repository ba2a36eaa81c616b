import type { DecisionAnswer } from '../../api/decisions.ts';

type ObjectOfCluster = NonNullable<DecisionAnswer['request']['object']>;

const OPERATIONS: Readonly<Record<string, string>> = {
  CREATE: 'created',
  UPDATE: 'updated',
  CONNECT: 'connected to',
  DELETE: 'deleted',
};

/** The object of a cluster that names the image: `Deployment shop/checkout (apps/v1), created`. */
export function objectText(object: Omit<ObjectOfCluster, 'cluster'>): string {
  const { apiVersion, kind, namespace, name, operation } = object;
  const whole = [namespace, name ?? (namespace === null ? null : '(no name yet)')]
    .filter((part) => part !== null)
    .join('/');
  const named = whole === '' ? kind : `${kind} ${whole}`;
  return `${named} (${apiVersion}), ${OPERATIONS[operation] ?? operation}`;
}
