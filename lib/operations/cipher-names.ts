// Names of ciphers.
import { getCipherInfo } from 'node:crypto';
import { nodeError } from '../base/errors';
import { isolateErrors } from '../native/error-queue';
import type { OperationOptions } from './operation-options';
import { choosesImplementation } from './spec';

// Ciphers that take a message in one piece, which Node.js 26 lists. The authenticating ones give their tag differently.
const ONE_PIECE = /-(?:siv|cts)$/i;

/**
 * The names of a spec for a cipher. Throws for a cipher that this Node.js does not know, although OpenSSL may; with a
 * provider that the caller chose, that provider decides.
 */
export function cipherNames(algorithm: string, options: OperationOptions | undefined): readonly [string] {
  const isKnown = choosesImplementation(options) || isolateErrors(() => getCipherInfo(algorithm)) !== undefined;
  if (!isKnown || ONE_PIECE.test(algorithm)) {
    throw nodeError('ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
  }
  return [algorithm];
}
