import type { SignatureFormat } from '../proof/evidence.ts';
import { cosignLegacy } from './cosign-legacy/format.ts';
import { sigstoreBundle } from './sigstore-bundle/format.ts';

/** Every format that Bulla detects, in the order in which findings are shown. */
export const FORMATS: readonly SignatureFormat[] = [sigstoreBundle, cosignLegacy];
