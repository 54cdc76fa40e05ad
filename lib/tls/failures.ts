// The errors that node:tls and node:net would make.
import { getSystemErrorName } from 'node:util';
import { asyncError, nodeError, opensslError, type CodedError } from '../base/errors';
import { remoteKeyError, takeCause } from '../keys/remote-failures';
import { TlsFailure } from '../native/contract/tables';
import type { NativeTlsFailure } from '../native/contract/tls';

/** An error of a system call, whose number libuv knows. */
export function systemError(errno: number, syscall: string): CodedError {
  const code = getSystemErrorName(errno);
  const error = new Error(`${syscall} ${code}`) as CodedError & { errno: number; syscall: string };
  error.errno = errno;
  error.code = code;
  error.syscall = syscall;
  return error;
}

/** The peer has gone. */
export function hungUp(): CodedError {
  const error = new Error('socket hang up') as CodedError;
  error.code = 'ECONNRESET';
  return error;
}

/** An error of OpenSSL, or of a remote key that it has asked. */
export function opensslFailure(failure: NativeTlsFailure): Error {
  const error = remoteKeyError(failure, () => takeCause(failure.job));
  return error ?? opensslError(failure.opensslErrors, 'ERR_SSL_'); // whichever library of OpenSSL it is, as in node:tls
}

/** The error of the event `failed`. `failure` gives OpenSSL's errors. */
export function failureError(reason: number, failure: () => NativeTlsFailure): Error {
  if (reason < 0) return systemError(reason, 'read');
  if (reason === TlsFailure.handshakeTimeout) return nodeError('ERR_TLS_HANDSHAKE_TIMEOUT', 'TLS handshake timeout');
  if (reason === TlsFailure.handshakeEnded) return hungUp();
  if (reason === TlsFailure.keyHint) {
    return nodeError('ERR_TLS_PSK_SET_IDENTITY_HINT_FAILED', 'Failed to set PSK identity hint');
  }
  return opensslFailure(failure());
}

/** Where there is no TLS. */
export function unsupportedError(reason: string): CodedError {
  return asyncError('ERR_ASYNC_UNSUPPORTED', reason);
}

// OpenSSL's numbers of what is wrong with a certificate, with the names that Node.js gives them.
const VERIFY_ERRORS: Readonly<Record<number, string>> = {
  2: 'UNABLE_TO_GET_ISSUER_CERT',
  3: 'UNABLE_TO_GET_CRL',
  4: 'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  5: 'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
  6: 'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  7: 'CERT_SIGNATURE_FAILURE',
  8: 'CRL_SIGNATURE_FAILURE',
  9: 'CERT_NOT_YET_VALID',
  10: 'CERT_HAS_EXPIRED',
  11: 'CRL_NOT_YET_VALID',
  12: 'CRL_HAS_EXPIRED',
  13: 'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  14: 'ERROR_IN_CERT_NOT_AFTER_FIELD',
  15: 'ERROR_IN_CRL_LAST_UPDATE_FIELD',
  16: 'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
  17: 'OUT_OF_MEM',
  18: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  19: 'SELF_SIGNED_CERT_IN_CHAIN',
  20: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  21: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  22: 'CERT_CHAIN_TOO_LONG',
  23: 'CERT_REVOKED',
  24: 'INVALID_CA',
  25: 'PATH_LENGTH_EXCEEDED',
  26: 'INVALID_PURPOSE',
  27: 'CERT_UNTRUSTED',
  28: 'CERT_REJECTED',
  62: 'HOSTNAME_MISMATCH',
};

const UNABLE_TO_GET_ISSUER = 2;

/** The code of an unwelcome certificate, as `authorizationError` has it; undefined for a welcome one. -1: there is none. */
export function verifyErrorCode(result: number): string | undefined {
  if (result === 0) return undefined;
  if (result === -1) return 'UNABLE_TO_GET_ISSUER_CERT';
  return VERIFY_ERRORS[result] ?? 'UNSPECIFIED';
}

/** The error of an unwelcome certificate; undefined for a welcome one. `reason` gives OpenSSL's words. */
export function verifyError(result: number, reason: (result: number) => string): CodedError | undefined {
  const code = verifyErrorCode(result);
  if (code === undefined) return undefined;
  const error = new Error(reason(result === -1 ? UNABLE_TO_GET_ISSUER : result)) as CodedError;
  error.code = code;
  return error;
}
