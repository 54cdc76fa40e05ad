// Which ciphers there are.
import { getCipherInfo } from 'node:crypto';
import { nodeError } from '../base/errors';
import { isolateErrors } from '../native/error-queue';
import type { OperationOptions } from './operation-options';
import { choosesImplementation } from './spec';

// Node.js 26 lists them. They take a message in one piece, and those that authenticate give their tag in another way.
const ONE_PIECE = /-(?:siv|cts)$/i;

/**
 * The names of a spec for a cipher. Throws for one that this Node.js does not know, although OpenSSL may; with a provider
 * that the caller chose, that provider decides.
 */
export function cipherNames(algorithm: string, options: OperationOptions | undefined): readonly [string] {
  const isKnown = choosesImplementation(options) || isolateErrors(() => getCipherInfo(algorithm)) !== undefined;
  if (!isKnown || ONE_PIECE.test(algorithm)) {
    throw nodeError('ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
  }
  return [algorithm];
}
