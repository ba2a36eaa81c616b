import type { SignatureFormat } from '../../proof/evidence.ts';
import { findBundles } from './find.ts';
import { verifyBundle } from './verify.ts';

/** Sigstore bundles: one document with signature, certificate and log proofs, as a referrer. */
export const sigstoreBundle: SignatureFormat = {
  name: 'sigstore-bundle',
  binds: 'digest',
  find: findBundles,
  verify: verifyBundle,
};
