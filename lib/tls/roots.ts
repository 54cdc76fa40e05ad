// Whom clients trust without being told: the same certificates as those of node:tls.
import { readFileSync } from 'node:fs';
import * as nodeTls from 'node:tls';
import { fromNative, isNativeError } from '../base/errors';
import type { NativeTrustedRoots } from '../native/contract/handles';
import { nativeTls } from './connections';
import { lastOf } from './node-flags';

// Newer Node.js says whom it trusts, and may be told whom.
const { getCACertificates } = nodeTls as {
  getCACertificates?: (type: 'default' | 'extra') => readonly string[];
};
// As Node.js, which reads it once.
const extraFile = process.env.NODE_EXTRA_CA_CERTS;

// Where OpenSSL's own places count, until somebody sets other ones: Node.js's list, which is that of the variable.
const listBesidePaths = usesOpensslPaths() ? listOfVariable() : undefined;

let trusted: { certificates: readonly string[]; native: NativeTrustedRoots } | undefined;
let ofFile: string[] | undefined;

export function trustedRoots(): NativeTrustedRoots {
  const certificates = getCACertificates === undefined ? nodeTls.rootCertificates : getCACertificates('default');
  if (trusted?.certificates === certificates) return trusted.native;
  const usesPaths = usesOpensslPaths() && (getCACertificates === undefined || certificates === listBesidePaths);
  const own = getCACertificates === undefined && usesPaths ? [] : certificates;
  const extra = getCACertificates === undefined ? (ofFile ??= readExtra()) : [];
  const native = nativeTls().createRoots(
    [...own, ...extra].map((each) => Buffer.from(each)),
    usesPaths,
  );
  if (isNativeError(native)) throw fromNative(native);
  trusted = { certificates, native };
  return native;
}

function listOfVariable(): readonly string[] | undefined {
  const list = getCACertificates?.('default');
  const extra = getCACertificates?.('extra');
  return list?.join() === extra?.join() ? list : undefined;
}

function readExtra(): string[] {
  if (extraFile === undefined || extraFile === '') return [];
  try {
    return [readFileSync(extraFile, 'utf8')];
  } catch {
    return []; // Node.js has warned
  }
}

// `--use-openssl-ca`, or a Node.js that was built so: SSL_CERT_FILE and SSL_CERT_DIR count, which OpenSSL reads.
function usesOpensslPaths(): boolean {
  const isGiven = lastOf('--use-openssl-ca', '--use-bundled-ca');
  if (isGiven !== undefined) return isGiven;
  const { target_defaults: defaults } = process.config as { target_defaults?: { defines?: readonly string[] } };
  return defaults?.defines?.includes('NODE_OPENSSL_CERT_STORE') === true;
}
