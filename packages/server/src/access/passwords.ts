import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { openTurns } from '../bounds/turns.ts';
import { parsePhc } from './parse.ts';

// RFC 9106 leaves the choice; OWASP's first for argon2id: 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
const TAG_BYTES = 32;

const LEAST = 12;
const MOST = 1024;
const NAME_COUNTS_FROM = 3;
const DIFFERENT_LEAST = 5;

const derive = promisify(argon2);

/** Hashes and checks passwords, so many at once and no more. */
export interface Passwords {
  /** The argon2id hash of a password, as a PHC string. Throws `access.busy`. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password is the one of the hash. With null, the hash of a user who is not there or
   * has none, it does the same work and answers false. Throws `access.busy`.
   */
  matches(password: string, phc: string | null): Promise<boolean>;
}

/** Bounds of `openPasswords`. */
export interface PasswordLimits {
  readonly atOnce: number;
  readonly waiting: number;
}

/** Passwords with argon2id (19 MiB, 2 passes, 1 lane), off the main thread. */
export function openPasswords(limits: PasswordLimits): Passwords {
  const { atOnce, waiting: most } = limits;
  const tooMany = () =>
    new TrustFault('access.busy', `${most} passwords are waiting to be checked`);
  const gate = openTurns({ atOnce, waiting: { most, tooMany } });
  // Nobody's password: what the unknown are measured against.
  const nobody = { ...PARAMETERS, salt: randomBytes(16), tag: randomBytes(TAG_BYTES) };
  return {
    hash: (password) => gate(() => hashed(password)),
    matches: (password, phc) =>
      gate(async () => {
        const known = phc === null ? nobody : parsePhc(phc);
        const tag = await derive('argon2id', {
          message: normal(password.slice(0, MOST)),
          nonce: known.salt,
          memory: known.memory,
          passes: known.passes,
          parallelism: known.lanes,
          tagLength: known.tag.length,
        });
        const equal = timingSafeEqual(tag, known.tag);
        return equal && phc !== null && password.length <= MOST;
      }),
  };
}

const PARAMETERS = { memory: MEMORY_KIB, passes: PASSES, lanes: LANES } as const;

async function hashed(password: string): Promise<string> {
  const salt = randomBytes(16);
  const parameters: Argon2Parameters = {
    message: normal(password),
    nonce: salt,
    memory: MEMORY_KIB,
    passes: PASSES,
    parallelism: LANES,
    tagLength: TAG_BYTES,
  };
  const tag = await derive('argon2id', parameters);
  const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${base64(salt)}$${base64(tag)}`;
}

/** One password typed on two keyboards is one password. */
function normal(password: string): Buffer {
  return Buffer.from(password.normalize('NFKC'));
}

/**
 * Throws `access.password-invalid` unless `password` may become the password of the user of this
 * name: 12 to 1024 characters without the name, at least 5 of them different. No rule asks for
 * digits or signs: such rules make passwords worse (NIST SP 800-63B §5.1.1.2).
 */
export function checkNewPassword(password: string, userName: string): void {
  const refuse = (expected: string): TrustFault =>
    new TrustFault('access.password-invalid', `expected a password ${expected}`);
  if (password.length > MOST || !password.isWellFormed()) {
    throw refuse(`of at most ${MOST} characters of Unicode`);
  }
  const text = password.normalize('NFKC');
  if (text.length > MOST) throw refuse(`of at most ${MOST} characters of Unicode`);
  if ([...text].length < LEAST) throw refuse(`of at least ${LEAST} characters`);
  if (new Set(text).size < DIFFERENT_LEAST) {
    throw refuse(`with at least ${DIFFERENT_LEAST} different characters`);
  }
  const name = userName.toLowerCase();
  if (name.length < NAME_COUNTS_FROM) return;
  const rest = text.toLowerCase().replaceAll(name, '');
  if (rest.length < text.length && [...rest].length < LEAST) {
    throw refuse(`that has ${LEAST} characters beside the user name ${quote(userName)}`);
  }
}
