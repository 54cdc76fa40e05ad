// Certificates that are sent compressed, RFC 8879: the names of node:tls.
import { invalidArgType, invalidArgValue } from '../base/errors';
import { nativeTls } from './connections';

/** An algorithm of RFC 8879. */
export type CertificateCompressionAlgorithm = 'zlib' | 'brotli' | 'zstd';

const NAMES: readonly CertificateCompressionAlgorithm[] = ['zlib', 'brotli', 'zstd'];
const numberOf = (name: unknown): number => NAMES.indexOf(name as CertificateCompressionAlgorithm) + 1;

/**
 * The algorithms of `certificateCompression` that the process's OpenSSL knows: none before OpenSSL 3.2, or where it was
 * built without them, as that of Node.js 20 and 22.
 *
 * @returns names, in the order of their numbers in RFC 8879
 * @throws `ERR_ASYNC_UNSUPPORTED` where there is no TLS.
 */
export function getCertificateCompressionAlgorithms(): CertificateCompressionAlgorithm[] {
  const known = nativeTls().compressions();
  return NAMES.filter((name) => known.includes(numberOf(name)));
}

/** The numbers of an option's value. As in Node.js, there are none where OpenSSL knows none. */
export function toCompressions(value: unknown): number[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalidArgType('options.certificateCompression', 'an instance of Array', value);
  const names = [...(value as unknown[])];
  if (names.length > NAMES.length)
    throw invalidArgValue(
      'options.certificateCompression',
      value,
      `can specify at most ${String(NAMES.length)} algorithms`,
    );
  const numbers = names.map((name, at) => {
    const number = numberOf(name);
    if (number > 0) return number;
    const which = `options.certificateCompression[${String(at)}]`;
    throw invalidArgValue(which, name, "must be 'zlib', 'brotli', or 'zstd'");
  });
  return nativeTls().compressions().length === 0 ? [] : numbers;
}
