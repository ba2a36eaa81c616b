import { asFault, type TrustFault } from '@bulla/trust/fault/fault';

/** The fault that a promise is rejected with. */
export async function thrownBy(promise: Promise<unknown>): Promise<TrustFault> {
  try {
    await promise;
  } catch (error) {
    return asFault(error);
  }
  throw new Error('nothing was thrown');
}
