import type { SignatureFormat } from '../../proof/evidence.ts';
import { findLegacy } from './find.ts';
import { verifyLegacy } from './verify.ts';

/** cosign's tag scheme: simple-signing payloads and DSSE envelopes under `sha256-<hex>.sig|.att`. */
export const cosignLegacy: SignatureFormat = {
  name: 'cosign-legacy',
  binds: 'digest',
  find: findLegacy,
  verify: verifyLegacy,
};
